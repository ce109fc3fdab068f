// Keeps the page up to date: the event stream says that something changed, then the same page is fetched again and
// every region marked data-live is replaced where it differs. What a person is typing in or has opened stays as it is.

const state = document.getElementById("live");
const QUIET_MS = 800;
const seen = new Map([...document.querySelectorAll("[data-live]")].map((each) => [each.id, each.outerHTML]));
let fetching = false;
let again = false;
let last = 0;

function say(text, tone) {
  if (state && state.textContent !== text) {
    state.textContent = text;
    state.className = `live ${tone}`;
  }
}

function busy(region) {
  const active = document.activeElement;
  return Boolean(active && region.contains(active) && active.matches("input, select, textarea"));
}

function swap(fresh) {
  for (const region of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(region.id);
    if (!next || busy(region) || next.outerHTML === seen.get(region.id)) continue;
    seen.set(region.id, next.outerHTML);
    const opened = [...region.querySelectorAll("details[open] > summary")].map((each) => each.title);
    const focused = region.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    const adopted = document.importNode(next, true);
    region.replaceWith(adopted);
    for (const summary of adopted.querySelectorAll("details > summary")) {
      if (opened.includes(summary.title)) summary.parentElement.open = true;
    }
    if (focused) adopted.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }
}

async function refresh() {
  if (fetching) {
    again = true;
    return;
  }
  fetching = true;
  try {
    await new Promise((done) => setTimeout(done, Math.max(0, last + QUIET_MS - Date.now())));
    last = Date.now();
    const answer = await fetch(location.href, { headers: { "X-Live": "1" }, redirect: "manual" });
    if (answer.type === "opaqueredirect") location.reload();
    else if (answer.ok) swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    say("Not live: the service does not answer", "bad");
  } finally {
    fetching = false;
    if (again) {
      again = false;
      refresh();
    }
  }
}

let source = null;

function listen() {
  if (source || document.hidden) return;
  source = new EventSource("/console/live");
  source.addEventListener("hello", () => {
    say("Live", "good");
    refresh();
  });
  source.addEventListener("change", refresh);
  source.addEventListener("error", () => say("Not live: trying again", "bad"));
}

function pause() {
  source?.close();
  source = null;
}

if (state && document.querySelector("[data-live]")) {
  document.addEventListener("visibilitychange", () => (document.hidden ? pause() : listen()));
  window.addEventListener("pagehide", pause);
  window.addEventListener("pageshow", listen);
  listen();
}
