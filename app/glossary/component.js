// The field finds entries by a part of a term; an address with a term's name shows its entry.
export default function ({ data, parentElement: page }) {
  const field = page.querySelector('input');
  const entries = [...page.querySelectorAll('dl > div')];
  const find = () => {
    const sought = field.value.trim().toLowerCase();
    const named = entries.filter((entry) => entry.dataset.words.includes(sought));
    const kept = named.length ? named : entries.filter((entry) => entry.textContent.toLowerCase().includes(sought));
    for (const entry of entries) entry.hidden = !kept.includes(entry);
    page.querySelector('[role=status]').textContent = kept.length ? '' : data.nothing;
  };
  const go = () => { // by hand: the browser looked for the address's entry before the page was built
    const sought = decodeURIComponent(location.hash.slice(1));
    for (const entry of entries) entry.classList.toggle('here', entry.id === sought);
    const place = entries.find((entry) => entry.id === sought);
    if (!place) return;
    if (place.hidden) field.value = '';
    find();
    place.scrollIntoView({ block: 'center' });
  };
  field.oninput = find;
  window.addEventListener('hashchange', go);
  go();
  return () => window.removeEventListener('hashchange', go);
}
