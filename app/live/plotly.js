// plotly.js of the installed package, loaded once per page; its own toolbar is not shown.
const CONFIG = { displayModeBar: false, responsive: true, doubleClick: 'reset', showTips: false };

function loadPlotly(url) {
  if (window.Plotly) return Promise.resolve(window.Plotly);
  window.__plotly ??= new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement('script'), { src: new URL(url, document.baseURI).href });
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error('plotly.js did not load'));
    document.head.appendChild(script);
  });
  return window.__plotly;
}
