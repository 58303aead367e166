// The last page of the popup: tells the page that opened it, and closes the popup.

new BroadcastChannel("sign-in").postMessage("done");
window.close();
