// Copies a text. If the browser forbids it (a page without HTTPS), the text is selected, to be copied by hand.
export default function ({ data, parentElement }) {
  const button = parentElement.querySelector('button');
  button.textContent = data.copy;
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(data.link);
      button.textContent = data.copied;
    } catch {
      const code = document.querySelector('.st-key-share code');
      if (code) getSelection().selectAllChildren(code);
      button.textContent = data.by_hand;
    }
    setTimeout(() => { button.textContent = data.copy; }, 2500);
  };
}
