// What is typed into a field of several lines counts after a pause, as in one of a single line: Streamlit takes it over
// when Ctrl + Enter is pressed or the field is left. The file as a whole is left out, since it is written anew then.
const PAUSE = 400; // milliseconds, as PAUSE in fields.py
let waiting; // outside the function: the page may be drawn anew while somebody pauses

export default function () {
  const typed = ({ target }) => {
    if (!(target instanceof HTMLTextAreaElement) || !target.closest('.st-key-write_form')) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      target.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', code: 'Enter', ctrlKey: true, bubbles: true, cancelable: true }));
    }, PAUSE);
  };
  document.addEventListener('input', typed, true);
  return () => document.removeEventListener('input', typed, true);
}
