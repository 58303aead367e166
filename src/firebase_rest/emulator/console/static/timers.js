// Calls `action` now, and then repeatedly while the page is visible, until `signal` aborts.

export function every(milliseconds, signal, action) {
  let running = false;
  const run = async () => {
    if (running || document.hidden) return;
    running = true;
    try {
      await action();
    } catch {
      // The next call may succeed, for example after a restart of the emulator.
    } finally {
      running = false;
    }
  };
  const timer = setInterval(run, milliseconds);
  signal.addEventListener("abort", () => clearInterval(timer));
  return run();
}
