// A text of one's own, of any length, in the place of the drawn sequence: the network reads it at once.

// say(text): read it. Returns {configure(info): for another network; hide(on)}.
export function createAsk(form, say) {
  const [input] = form.elements;
  form.onsubmit = (event) => {
    event.preventDefault();
    if (input.value.trim()) say(input.value);
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
  };
}
