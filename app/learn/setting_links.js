// Links in a lesson's prose lead to the playground by themselves, in a new tab. Pressed in the page they act in place.
export default function ({ setTriggerValue }) {
  const pressed = (event) => {
    const link = event.target.closest?.('[class*="st-key-acting"] a[href^="/?preset="]');
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    setTriggerValue('press', { link: link.getAttribute('href') });
  };
  document.addEventListener('click', pressed, true);
  return () => document.removeEventListener('click', pressed, true);
}
