// Uploads with a progress bar. Without scripts the form works as a normal one.

const form = document.querySelector("#upload");
const bar = document.querySelector("#progress");
const state = document.querySelector("#upload-state");

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const request = new XMLHttpRequest();
  bar.hidden = false;
  state.className = "";
  request.upload.addEventListener("progress", ({ loaded, total }) => {
    bar.value = (100 * loaded) / total;
    state.textContent = loaded < total ? `${Math.floor(bar.value)} %` : "Storing …";
  });
  request.addEventListener("load", () => {
    if (request.status < 400) location.reload();
    else fail(JSON.parse(request.responseText).error);
  });
  request.addEventListener("error", () => fail("The connection failed. Try again."));
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/json");
  request.send(new FormData(form));
});

function fail(message) {
  bar.hidden = true;
  state.className = "error";
  state.textContent = message;
}
