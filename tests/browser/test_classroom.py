"""A class in real browsers: one for the teacher, one for each student."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Browser

from app.classroom.limits import MAX_NAME
from tests.browser.conftest import Playground, Server, new_context
from tests.browser.layout import faults_of_whole_page

pytestmark = pytest.mark.browser

NAME = "<img src=x onerror=alert(1)> **Ada**"
LESSON = "remember-lstm"
Person = Callable[..., Playground]


@pytest.fixture
def person(browser: Browser, server: Server) -> Iterator[Person]:
    """person(...) is somebody with a browser of their own, in which nothing goes wrong."""
    people: list[Playground] = []

    def comes(**options: object) -> Playground:
        people.append(Playground(new_context(browser, **options).new_page(), server.url))
        return people[-1]

    yield comes
    for each in people:
        each.page.context.close()
    # Streamlit looks for its own routes beside the page's address first, which is no problem of ours.
    assert [problem for each in people for problem in each.problems if "404 (Not Found)" not in problem] == []


def opens_class(teacher: Playground) -> str:
    """The code of a class that begins with the teacher's playground."""
    teacher.open(f"preset={LESSON}&steps=1000000")
    teacher.page.get_by_role("link", name="Class", exact=True).click()
    teacher.click("class_open_button")
    code = teacher.page.locator(".invitation .code")
    code.wait_for()
    return code.inner_text()


def joins(student: Playground, code: str, name: str) -> None:
    """By the link, and trains."""
    student.page.goto(f"{student.url}/class?code={code}")
    student.page.locator(".st-key-class_name input").fill(name)
    student.click("class_join_button")
    student.wait("window.classBar?.heard >= 1 && window.playground?.painted >= 1")
    if student.page.locator(".st-key-skip_guess").count():
        student.skip_guess()


def test_a_teacher_sees_freezes_and_asks_a_student(person: Person):
    teacher, student = person(), person(viewport={"width": 390, "height": 844})
    joins(student, opens_class(teacher), NAME)
    card = teacher.page.locator(".bd-card")
    card.locator(".bd-loss", has_text="held-out loss").wait_for()
    assert card.locator(".bd-name").inner_text() == NAME and teacher.page.locator(".bd img").count() == 0
    step = "Number(document.querySelector('.bd-phase').textContent.match(/step ([\\d,]+)/)[1].replaceAll(',', ''))"
    before = teacher.get(step)
    teacher.wait(f"{step} > argument", before)  # pushed, while the student trains

    teacher.click("class_freeze")
    student.wait("classBar.frozen")
    student.page.locator(".st-key-pause button").click(force=True)
    student.frames(2)
    assert student.get("playground.phase") == "running"
    student.page.get_by_text("Your teacher has frozen the controls").wait_for()
    teacher.click("class_freeze")
    student.wait("!classBar.frozen")
    student.pause()

    teacher.page.get_by_role("button", name="Ask", exact=False).first.click()
    for key, typed in (("class_asks", "Will <b>it</b> learn?"), ("class_answer_1", "Yes"), ("class_answer_2", "*No*")):
        teacher.page.locator(f".st-key-{key} input").fill(typed)
    teacher.page.get_by_role("button", name="Ask the class").click()
    student.page.get_by_role("button", name="*No*").click()
    teacher.wait("[...document.querySelectorAll('.bd-count b')].map((each) => each.textContent).join() === '0,1'")
    assert teacher.page.locator(".bd-question h2").inner_text() == "Will <b>it</b> learn?"


@pytest.mark.full
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_class_from_its_beginning_to_its_end(person: Person, scheme: str, tmp_path):
    teacher = person(color_scheme=scheme)
    students = [person(color_scheme=scheme, viewport=size) for size in ({"width": 390, "height": 844}, None)]
    code = opens_class(teacher)
    for student, name in zip(students, (NAME, "w" * MAX_NAME), strict=True):
        joins(student, code, name)
    teacher.page.locator(".bd-loss", has_text="held-out loss").nth(1).wait_for()
    on_every_screen(teacher)

    teacher.click("class_show")
    for student in students:
        student.page.locator(".st-key-class_picture .lv").wait_for()
        student.wait("window.playground?.step > 0")
        assert not student.page.locator(".st-key-transport").is_visible()
    teacher.click("class_stop_showing")
    for student in students:
        student.page.locator(".st-key-transport").wait_for()
        assert f"preset={LESSON}" in student.page.url

    teacher.page.locator(".bd-card").first.click()
    teacher.page.locator(".st-key-class_look .lv").wait_for()
    teacher.wait("window.playground?.painted >= 1")
    teacher.click("class_back")
    teacher.page.locator(".bd-card").first.wait_for()

    teacher.page.get_by_role("button", name="Set all to").click()
    teacher.click("class_set_lesson")
    for student in students:
        student.page.wait_for_url("**preset=wave*")
        student.wait("window.playground?.painted >= 1 && window.classBar?.heard >= 1")
        assert faults_of_whole_page(student.page) == []

    students[1].page.reload()
    students[1].page.locator(".cb-name", has_text="www").wait_for()
    students[0].page.locator(".cb-leave").click()
    students[0].page.locator(".cb").wait_for(state="detached")
    teacher.wait("document.querySelectorAll('.bd-card').length === 1")

    teacher.page.keyboard.press("Escape")
    teacher.page.get_by_role("button", name="More", exact=False).first.click()
    with teacher.page.expect_download() as waiting:
        teacher.page.locator(".class-download").click()
    waiting.value.save_as(tmp_path / "class.zip")
    with closing(zipfile.ZipFile(tmp_path / "class.zip")) as packed:
        assert packed.read("board.csv").decode("utf-8-sig").count("\n") == 2
    teacher.page.get_by_text("End the class").click()
    teacher.click("class_end")
    students[1].page.get_by_text(f"The class {code} is over").wait_for()


def on_every_screen(teacher: Playground) -> None:
    """Nothing is cut or covered, on a projector, a laptop, and a phone, in both orders."""
    teacher.page.get_by_text("How to join").click()
    for width, height in ((1440, 900), (1280, 800), (1024, 768), (390, 844)):
        teacher.page.set_viewport_size({"width": width, "height": height})
        for order in ("By verdict", "By name"):
            teacher.page.get_by_role("radio", name=order).click()
            assert faults_of_whole_page(teacher.page) == [], (width, order)
    teacher.page.set_viewport_size({"width": 1440, "height": 900})
