/**
 * Registers the service worker: after the first visit the course works without its server, and pages served by a
 * plain static host get the headers that make stopping a cell instant.
 */
const warmDelayMs = 5000;

async function installOffline(): Promise<void> {
  if (!("serviceWorker" in navigator) || location.protocol === "file:") return;
  const registration = await navigator.serviceWorker.register("/service-worker.js");
  navigator.serviceWorker.addEventListener("message", ({ data }: MessageEvent<{ type: string }>) => {
    if (data.type === "offline-ready") showOffline();
  });
  const worker = (await navigator.serviceWorker.ready).active ?? registration.active;
  const warm = (): void => void worker?.postMessage({ type: "warm", page: location.pathname });
  const saveData = (navigator as { connection?: { saveData?: boolean } }).connection?.saveData === true;
  if (saveData) return document.addEventListener("book:used", warm, { once: true });
  document.addEventListener("pointerdown", warm, { once: true });
  document.addEventListener("keydown", warm, { once: true });
  setTimeout(() => (window.requestIdleCallback ?? setTimeout)(warm), warmDelayMs);
}

function showOffline(): void {
  const line = document.querySelector("#offline-line");
  if (line) line.textContent = "Kept for offline use.";
  document.documentElement.dataset["offline"] = "ready";
}

if (document.readyState === "complete") void installOffline();
else addEventListener("load", () => void installOffline());
