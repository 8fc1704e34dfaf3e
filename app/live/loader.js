// Loads the live view's script and style once, then hands over to it.
const at = (name) => new URL(`{prefix}/${name}`, document.baseURI).href;
const styled = (window.__liveStyle ??= new Promise((resolve) => {
  document.head.appendChild(Object.assign(document.createElement('link'), { rel: 'stylesheet', href: at('{style}'), onload: resolve, onerror: resolve }));
}));
const coming = Promise.all([import(at('{view}')), styled]).then(([view]) => view.default);

export default function (component) {
  const root = component.parentElement;
  let close = null, closed = false;
  coming.then((view) => {
    if (closed) return;
    root.__markup ??= root.innerHTML; // as it is before a view has built its parts in it
    root.querySelector('.lv').style.visibility = 'visible';
    close = view(component);
  });
  return () => {
    closed = true;
    if (!close) return;
    close();
    root.innerHTML = root.__markup; // another view may be opened in the same place
  };
}
