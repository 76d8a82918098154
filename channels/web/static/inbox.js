// Makes the pages live. Everything works without it; see channels/web/__init__.py for what only a script can check.
"use strict";

const root = document.documentElement;
root.classList.add("js");
const main = document.getElementById("main");
const indicator = document.getElementById("live");
const announcer = document.getElementById("announce");

const all = (selector, from = document) => Array.from(from.querySelectorAll(selector));

// -- times ------------------------------------------------------------------------------------------------------

function showLocalTimes() {
  const today = new Date().toDateString();
  for (const element of all("time[data-at]")) {
    const moment = new Date(element.dateTime);
    const time = moment.toLocaleTimeString();
    element.textContent = moment.toDateString() === today ? time : `${moment.toLocaleDateString()} ${time}`;
    element.title = element.dateTime;
  }
}

function inWords(seconds) {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours >= 48) return `${Math.floor(hours / 24)} days`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return `${minutes}:${String(seconds % 60).padStart(2, "0")}`;
}

// The broker's clock decides; ours only counts on from the time that it printed into the page.
function tick() {
  for (const element of all("[data-deadline]")) {
    element.loadedAt ??= performance.now();
    const now = Number(element.dataset.now) + performance.now() - element.loadedAt;
    const seconds = Math.ceil((Number(element.dataset.deadline) - now) / 1000);
    element.textContent = seconds > 0 ? `${inWords(seconds)} left` : "time is up";
    element.classList.toggle("is-short", seconds <= 60);
  }
}

// -- approve only what was seen ---------------------------------------------------------------------------------

const unseen = new Set(all("[data-must-see]"));

function updateApprove() {
  const approve = document.querySelector("[data-approve]");
  const hint = document.querySelector("[data-hint]");
  if (!approve || !hint) return;
  const code = document.querySelector("[data-code]");
  const typed = code ? code.value.replace(/[\s-]/g, "").toLowerCase() : "";
  let reason = "";
  if (unseen.size > 0) reason = "Scroll through the whole command to approve it";
  else if (code && !typed.endsWith(code.dataset.code)) reason = "Type the code to approve";
  approve.disabled = reason !== "";
  if (hint.textContent !== reason) hint.textContent = reason;
}

function watchCommand() {
  const bar = document.querySelector(".bar");
  const covered = bar ? bar.offsetHeight : 0;
  const observer = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        unseen.delete(entry.target);
        observer.unobserve(entry.target);
      }
      updateApprove();
    },
    { rootMargin: `0px 0px -${covered}px 0px` },
  );
  unseen.forEach((element) => observer.observe(element));
}

document.addEventListener("input", updateApprove);

// A second press of the same form is the same decision for the server; here it is not even sent.
document.addEventListener("submit", (event) => {
  setTimeout(() => all("button").filter((each) => each.form === event.target).forEach((each) => (each.disabled = true)));
});
window.addEventListener("pageshow", (event) => event.persisted && location.reload());

// -- live -------------------------------------------------------------------------------------------------------

function replaceParts(fresh) {
  let isNew = false;
  for (const part of all("[data-live]", fresh)) {
    const old = document.getElementById(part.id);
    if (!old || old.dataset.key === part.dataset.key) continue;
    old.replaceWith(document.adoptNode(part));
    isNew = true;
  }
  document.title = fresh.title;
  const freshMain = fresh.getElementById("main");
  if (freshMain) {
    main.dataset.seen = freshMain.dataset.seen;
    main.className = freshMain.className;
  }
  return isNew;
}

function announce() {
  const heading = document.querySelector("#pending-title, #status .state, #status h1");
  announcer.textContent = heading ? heading.textContent : "";
}

let refreshing = false;
let again = false;

async function refresh() {
  if (refreshing) {
    again = true;
    return;
  }
  refreshing = true;
  try {
    const answer = await fetch(main.dataset.page ?? location.pathname, { credentials: "same-origin" });
    if (answer.status === 401) return location.reload();
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    // Another version is another command: nothing of the old page may stand beside the new buttons.
    if (fresh.getElementById("main")?.dataset.version !== main.dataset.version) return location.reload();
    const isNew = replaceParts(fresh);
    showLocalTimes();
    tick();
    updateApprove();
    if (isNew) announce();
  } catch {
    // The broker is away; the stream comes back by itself and then tells what was missed.
  } finally {
    refreshing = false;
    if (again) {
      again = false;
      refresh();
    }
  }
}

let stream = null;

function showLive(isLive) {
  indicator.hidden = false;
  indicator.classList.toggle("is-off", !isLive);
  indicator.querySelector("[data-live-text]").textContent = isLive ? "live" : "reconnecting";
}

function listen() {
  if (stream || document.hidden) return;
  stream = new EventSource(main.dataset.events);
  stream.addEventListener("open", () => showLive(true));
  stream.addEventListener("seen", (event) => event.data === main.dataset.seen || refresh());
  stream.addEventListener("changed", (event) => event.data === main.dataset.seen || refresh());
  stream.addEventListener("error", () => {
    showLive(false);
    if (stream.readyState !== EventSource.CLOSED) return;
    stream = null; // refused, e.g. logged out: ask once what is the matter, then try again
    refresh();
    setTimeout(listen, 5000);
  });
}

// A browser opens only six connections to one host: a page that nobody sees gives its own back.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) return listen();
  stream?.close();
  stream = null;
});

showLocalTimes();
tick();
setInterval(tick, 1000);
if (document.querySelector("[data-approve]")) {
  updateApprove();
  watchCommand();
}
if (main.dataset.events) listen();
