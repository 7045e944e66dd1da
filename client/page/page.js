"use strict";
// Each event holds the live part of the document. Only what differs is changed, so that
// focus, selection and scroll positions stay.
function patch(have, want) {
	if (have.nodeType !== want.nodeType || have.nodeName !== want.nodeName || have.id !== want.id) {
		have.replaceWith(want);
		return;
	}
	if (have.nodeType !== Node.ELEMENT_NODE) {
		if (have.data !== want.data) have.data = want.data;
		return;
	}
	for (const a of want.attributes) if (have.getAttribute(a.name) !== a.value) have.setAttribute(a.name, a.value);
	for (const a of [...have.attributes]) if (!want.hasAttribute(a.name)) have.removeAttribute(a.name);
	const old = [...have.childNodes], now = [...want.childNodes];
	now.forEach((n, i) => i < old.length ? patch(old[i], n) : have.append(n));
	old.slice(now.length).forEach(n => n.remove());
}
const live = document.getElementById("live");
let source;
function connect() {
	source = new EventSource(location.href);
	source.onmessage = event => {
		const next = live.cloneNode(false);
		next.innerHTML = event.data;
		patch(live, next);
	};
	source.onerror = () => { if (source.readyState === EventSource.CLOSED) setTimeout(connect, 3000) };
}
document.addEventListener("visibilitychange", () => {
	if (document.hidden) source.close(); else if (source.readyState === EventSource.CLOSED) connect();
});
connect();
