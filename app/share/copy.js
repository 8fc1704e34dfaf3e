// Copies a text. Where the browser forbids it (a page that was not served safely), it is selected for the person to copy.
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
