// The stream of views: connects, connects again, and says honestly how it is.

/** Views come ten times a second; after this long without one the page is no longer true. */
const SILENT_MS = 2500;
const RETRY_MS = 3000;

/**
 * Follows the engine for as long as the page is open.
 * `onView(view)` gets each view, `onState("live" | "silent" | "lost")` each change,
 * `onOpen()` each new connection.
 */
export function follow({ onView, onState, onOpen }) {
  let state = "connecting";
  let heard = performance.now();
  const change = (to) => {
    if (state !== to) onState((state = to));
  };
  const connect = () => {
    const source = new EventSource("/api/events");
    source.addEventListener("open", () => {
      heard = performance.now();
      onOpen();
    });
    source.addEventListener("view", (event) => {
      heard = performance.now();
      change("live");
      onView(JSON.parse(event.data));
    });
    source.addEventListener("error", () => {
      change("lost");
      // The browser tries again by itself unless the engine has refused.
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, RETRY_MS);
    });
  };
  connect();
  setInterval(() => {
    if (state === "live" && performance.now() - heard > SILENT_MS) change("silent");
  }, 500);
}
