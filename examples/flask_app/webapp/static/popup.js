// Opens Google's page in a popup. Without scripts, or if the popup is blocked, the link works as a normal one.

const link = document.querySelector("#google");
const email = document.querySelector("#email");
const channel = new BroadcastChannel("sign-in");

link.addEventListener("click", (event) => {
  const url = new URL(link.href);
  url.searchParams.set("popup", "1");
  if (email.value) url.searchParams.set("email", email.value);
  if (window.open(url, "sign-in", "popup,width=480,height=640")) event.preventDefault();
});

channel.addEventListener("message", () => location.assign(link.dataset.next));
