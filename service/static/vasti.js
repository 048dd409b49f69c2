"use strict";
// What pages do better with JavaScript: sending a file in parts that survive a broken line, and looking again by
// themselves while a file is worked on. Without it the same forms are sent by the browser.

const FIRST_PART = 256 * 1024, SMALLEST_PART = 64 * 1024, LARGEST_PART = 8 * 1024 * 1024;
const GOOD_PACE_S = 2, BAD_PACE_S = 15;
const FIRST_WAIT_S = 1, LONGEST_WAIT_S = 30;
const LOOK_EVERY_MS = 1500;

// A link that sets a password has its secret behind the #, which browsers send to nobody. Without JavaScript its field is
// there to be filled in.
const linkField = document.querySelector("form input#link");
if (linkField) {
  const given = new URLSearchParams(location.hash.slice(1)).get("link");
  if (given) {
    linkField.value = given;
    history.replaceState(null, "", location.pathname);
  }
  linkField.closest("p").hidden = linkField.value !== "";
}

const wait = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));

// A problem that trying again does not mend.
class Refused extends Error {}

function base64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

async function detailOf(answer) {
  try { return (await answer.json()).detail; } catch { return `The service answered ${answer.status}.`; }
}

class Sending {
  constructor(form, file, tell) {
    this.form = form;
    this.file = file;
    this.tell = tell;
    const fields = new FormData(form);
    const csrf = fields.get("csrf");
    for (const name of ["csrf", "file"]) fields.delete(name);
    this.fields = { filename: file.name, ...Object.fromEntries([...fields].filter(([, value]) => value)) };
    this.headers = { "X-CSRF-Token": csrf, "Tus-Resumable": "1.0.0" };
    // A file that was begun goes on where it stopped, also after the page was closed.
    this.key = ["vasti", ...Object.values(this.fields), file.size, file.lastModified].join("|");
  }

  async ask(address, method, headers, body) {
    const answer = await fetch(address, { method, headers: { ...this.headers, ...headers }, body });
    if (answer.status === 401) throw new Refused("You have been signed out: sign in again in another tab, then send the file again. What has come is kept.");
    if ([400, 403, 413].includes(answer.status)) throw new Refused(await detailOf(answer));
    return answer;
  }

  async begin() {
    const known = localStorage.getItem(this.key);
    if (known) {
      const answer = await this.ask(known, "HEAD", {});
      if (answer.ok) return { address: known, come: Number(answer.headers.get("Upload-Offset")) };
      if (answer.status !== 404) throw new Error(String(answer.status));
      localStorage.removeItem(this.key);
    }
    const metadata = Object.entries(this.fields).map(([name, value]) => `${name} ${base64(value)}`).join(",");
    const answer = await this.ask(this.form.dataset.incoming, "POST", {
      "Upload-Length": String(this.file.size), "Upload-Metadata": metadata,
    });
    if (!answer.ok) {
      const detail = await detailOf(answer);
      if (answer.status === 429) throw new Refused(detail);
      throw new Error(detail);
    }
    const address = answer.headers.get("Location");
    localStorage.setItem(this.key, address);
    return { address, come: 0 };
  }

  // The address of the page of what the file has become.
  async send() {
    let part = FIRST_PART, waitS = FIRST_WAIT_S;
    for (;;) {
      try {
        let { address, come } = await this.begin();
        for (;;) {
          this.tell(come / this.file.size, `${Math.floor((100 * come) / this.file.size)} % sent`);
          const began = Date.now();
          const body = this.file.slice(come, come + part);
          const answer = await this.ask(address, "PATCH", {
            "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(come),
          }, body);
          if (!answer.ok) throw new Error(await detailOf(answer));
          come = Number(answer.headers.get("Upload-Offset"));
          const tookS = (Date.now() - began) / 1000;
          if (tookS < GOOD_PACE_S) part = Math.min(2 * part, LARGEST_PART);
          if (tookS > BAD_PACE_S) part = Math.max(part / 2, SMALLEST_PART);
          waitS = FIRST_WAIT_S;
          const become = answer.headers.get("Content-Location");
          if (become) {
            localStorage.removeItem(this.key);
            return this.form.dataset.upload + become.split("/").pop();
          }
        }
      } catch (error) {
        if (error instanceof Refused) {
          localStorage.removeItem(this.key);
          throw error;
        }
        part = Math.max(part / 2, SMALLEST_PART);
        this.tell(null, `The line broke off; trying again in ${waitS} s. What has come is kept.`);
        await wait(waitS);
        waitS = Math.min(2 * waitS, LONGEST_WAIT_S);
      }
    }
  }
}

function dressSendForm(form) {
  const input = form.querySelector("input[type=file]");
  const button = form.querySelector("button");
  const sending = form.querySelector(".sending");
  const progress = sending.querySelector("progress");
  const says = sending.querySelector("[role=status]");
  for (const name of ["dragenter", "dragover"]) {
    form.addEventListener(name, (event) => { event.preventDefault(); form.classList.add("over"); });
  }
  for (const name of ["dragleave", "drop"]) form.addEventListener(name, () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) input.files = event.dataTransfer.files;
  });
  form.addEventListener("submit", async (event) => {
    const file = input.files[0];
    // An empty file the service itself has a sentence for.
    if (!file || file.size === 0) return;
    event.preventDefault();
    button.disabled = input.disabled = true;
    sending.hidden = false;
    const tell = (share, words) => {
      if (share !== null) progress.value = share;
      if (says.textContent !== words) says.textContent = words;
    };
    try {
      location.assign(await new Sending(form, file, tell).send());
    } catch (error) {
      tell(null, error.message);
      button.disabled = input.disabled = false;
    }
  });
}

async function lookAgain() {
  for (;;) {
    await wait(LOOK_EVERY_MS / 1000);
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      if (answer.redirected) return location.reload();
      if (!answer.ok) continue;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const now = document.getElementById("live"), next = fresh.getElementById("live");
      document.title = fresh.title;
      const isOver = !next.hasAttribute("data-live");
      const state = now.querySelector("#state"), before = state.textContent;
      now.replaceWith(next);
      const words = next.querySelector("#state").textContent;
      if (words !== before) document.getElementById("said").textContent = words;
      if (isOver) return undefined;
    } catch { /* the line is away for a moment */ }
  }
}

for (const form of document.querySelectorAll("form[data-send]")) dressSendForm(form);
if (document.querySelector("[data-live]")) lookAgain();
// Twice pressed is once sent; a button must stay enabled until the browser has taken its value.
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented) return;
  setTimeout(() => { for (const button of event.target.querySelectorAll("button")) button.disabled = true; });
});
// Coming back through the history shows the form as it was left.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) for (const button of document.querySelectorAll("button")) button.disabled = false;
});
