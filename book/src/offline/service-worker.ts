/**
 * The service worker: one cache a build, the shell at once, a page's live parts soon after, the rest on use.
 *
 * Pages come from the network while there is one, from the cache otherwise; files with a digest in their name come
 * from the cache first. Every answer carries the headers of cross-origin isolation, because one scope has room for
 * one service worker and a static host sends none.
 */
import type { OfflinePlan } from "../../build/offline.ts";

declare const offlinePlan: OfflinePlan;
declare const self: ServiceWorkerGlobalScope;

const cacheName = `dom0-book-${offlinePlan.version}`;
const networkPatienceMs = 3000;

self.addEventListener("install", (event) => {
  event.waitUntil(fill(offlinePlan.shell).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) {
        if (name.startsWith("dom0-book-") && name !== cacheName) await caches.delete(name);
      }
      await self.clients.claim();
    })(),
  );
});

self.addEventListener("message", (event) => {
  const { type, page = "" } = event.data as { type?: string; page?: string };
  const plan = offlinePlan.pages[page];
  if (type === "keep-reading") event.waitUntil(fill([page, ...(plan?.reading ?? [])]));
  if (type !== "keep-using") return;
  const { source } = event;
  const wanted = [page, ...(plan?.reading ?? []), ...(plan?.using ?? [])];
  event.waitUntil(fill(wanted).then(() => source?.postMessage({ type: "offline-ready" })));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== self.location.origin) return;
  event.respondWith(answer(request, address).then(isolated));
});

async function answer(request: Request, address: URL): Promise<Response> {
  const cache = await caches.open(cacheName);
  const isFixed = hasDigest(address.pathname);
  const kept = await cache.match(address.pathname);
  if (isFixed && kept) return kept;
  try {
    const fresh = await withPatience(fetch(request), kept === undefined ? undefined : networkPatienceMs);
    if (fresh.ok && fresh.type === "basic") await cache.put(address.pathname, fresh.clone());
    return fresh;
  } catch {
    return kept ?? (await cache.match(`${address.pathname}/`)) ?? offlineAnswer(request, cache);
  }
}

/** Files with a digest in their name never change. */
function hasDigest(pathname: string): boolean {
  return /^\/(_astro|live)\//.test(pathname);
}

async function offlineAnswer(request: Request, cache: Cache): Promise<Response> {
  if (request.mode !== "navigate") return Response.error();
  const page = await cache.match("/404.html");
  const text = page ? await page.text() : "This page was not kept for offline use.";
  return new Response(text, { status: 503, headers: { "Content-Type": "text/html; charset=utf-8" } });
}

function withPatience(answer: Promise<Response>, patienceMs: number | undefined): Promise<Response> {
  if (patienceMs === undefined) return answer;
  return new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error("too slow")), patienceMs);
    answer.then(resolve, reject);
  });
}

/** Caches what is missing; one file that fails does not lose the others. */
async function fill(addresses: readonly string[]): Promise<void> {
  const cache = await caches.open(cacheName);
  for (const address of addresses) {
    if (await cache.match(address)) continue;
    const response = await fetch(address, { cache: hasDigest(address) ? "default" : "no-cache" }).catch(
      () => undefined,
    );
    if (response?.ok) await cache.put(address, response);
  }
}

function isolated(response: Response): Response {
  if (response.type === "error" || response.type === "opaqueredirect" || response.status === 304)
    return response;
  const headers = new Headers(response.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  headers.set("Cross-Origin-Resource-Policy", "same-origin");
  const body = [204, 205].includes(response.status) ? null : response.body;
  return new Response(body, { status: response.status, statusText: response.statusText, headers });
}
