// A text of one's own, of any length, in the place of the drawn sequence: the network reads it at once.

// read(text): read it. Returns {configure(info): for another network; hide(on); say(text)}.
export function createAsk(form, read) {
  const [input] = form.elements, note = form.lastElementChild;
  form.onsubmit = (event) => {
    event.preventDefault();
    if (input.value.trim()) read(input.value);
  };
  let asks = '';
  return {
    configure(info) {
      if (asks !== info.asks) input.value = '';
      asks = info.asks;
      input.placeholder = `A text of your own, such as: ${info.example}`;
      input.title = info.asks;
      input.setAttribute('aria-label', `Ask the network. ${info.asks}`);
    },
    hide(on) { form.hidden = on || !asks; },
    // What is said of the text that was read.
    say(text = '') { if (note.textContent !== text) note.textContent = text; },
  };
}
