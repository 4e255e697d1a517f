/**
 * Registers the service worker: after the first visit the course works without its server, and pages served by a
 * plain static host get the headers that make stopping a cell instant.
 */
const unaskedDelayMs = 5000;

async function installOffline(): Promise<void> {
  if (!("serviceWorker" in navigator) || location.protocol === "file:") return;
  const registration = await navigator.serviceWorker.register("/service-worker.js");
  navigator.serviceWorker.addEventListener("message", ({ data }: MessageEvent<{ type: string }>) => {
    if (data.type === "offline-ready") showOffline();
  });
  const worker = (await navigator.serviceWorker.ready).active ?? registration.active;
  const keep = (type: "keep-reading" | "keep-using"): void =>
    worker?.postMessage({ type, page: location.pathname });
  let isAsked = false;
  const keepUsing = (): void => {
    if (!isAsked) keep("keep-using");
    isAsked = true;
  };
  keep("keep-reading");
  const saveData = (navigator as { connection?: { saveData?: boolean } }).connection?.saveData === true;
  document.addEventListener("pointerdown", keepUsing, { once: true });
  document.addEventListener("keydown", keepUsing, { once: true });
  // A reader who saves data gets the live parts at the first touch only.
  if (!saveData) setTimeout(() => (window.requestIdleCallback ?? setTimeout)(keepUsing), unaskedDelayMs);
}

function showOffline(): void {
  const line = document.querySelector("#offline-line");
  if (line) line.textContent = "Kept for offline use.";
  document.documentElement.dataset["offline"] = "ready";
}

if (document.readyState === "complete") void installOffline();
else addEventListener("load", () => void installOffline());
