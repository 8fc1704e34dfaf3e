"""Messages between two threads, read like the end of a pipe."""

from __future__ import annotations

import threading

import pytest

from engine.workers.mailbox import Mailbox


def test_messages_are_received_in_order_and_then_there_is_nothing():
    mailbox = Mailbox()
    assert not mailbox.poll()
    for message in (1, None, 3):
        mailbox.put(message)
    assert [mailbox.recv(), mailbox.poll(), mailbox.poll(), mailbox.recv(), mailbox.recv()] == [1, True, True, None, 3]
    assert not mailbox.poll()


def test_the_end_can_be_received_again_and_again():
    mailbox = Mailbox()
    mailbox.put("last")
    mailbox.close()
    assert mailbox.recv() == "last"
    for _ in range(2):
        assert mailbox.poll()
        for receive in (mailbox.recv, mailbox.take_all):
            with pytest.raises(EOFError):
                receive()


def test_all_that_waits_is_taken_at_once_and_the_end_stays():
    mailbox = Mailbox()
    for number in range(3):
        mailbox.put(number)
    mailbox.poll()
    assert mailbox.take_all() == [0, 1, 2] and not mailbox.poll()
    mailbox.put(3)
    mailbox.close()
    assert mailbox.take_all() == [3] and mailbox.poll()


def test_a_reader_waits_for_another_thread():
    mailbox, received = Mailbox(), []
    reader = threading.Thread(target=lambda: received.append((mailbox.poll(None), mailbox.recv())))
    reader.start()
    mailbox.put("hello")
    reader.join(60)
    assert received == [(True, "hello")]
