// The links in a lesson's text open the playground in a new tab. A plain click in the page is applied in place instead.
export default function ({ setTriggerValue }) {
  const pressed = (event) => {
    const link = event.target.closest?.('[class*="st-key-acting"] a[href^="/?preset="]');
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    setTriggerValue('press', { link: link.getAttribute('href') });
  };
  document.addEventListener('click', pressed, true);
  document.documentElement.dataset.settingLinks = 'in place'; // before that, a click opens a new tab
  return () => {
    document.removeEventListener('click', pressed, true);
    delete document.documentElement.dataset.settingLinks;
  };
}
