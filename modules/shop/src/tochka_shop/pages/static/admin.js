// The admin works without this; it asks before deleting, previews pictures and adds rows of variants.
const HEAVY = 10 * 1024 * 1024;

document.querySelectorAll("[data-sure]").forEach((button) => {
  button.addEventListener("click", (event) => { if (!window.confirm(button.dataset.sure)) event.preventDefault(); });
});

const rows = document.querySelector("[data-variants]");
const add = document.querySelector("[data-add-variant]");
if (rows && add) {
  const blank = rows.querySelector("[data-blank]");
  const pattern = blank.cloneNode(true);
  let next = Number(blank.querySelector("input").name.split("-")[1]);
  blank.remove();
  add.hidden = false;
  add.addEventListener("click", () => {
    const row = pattern.cloneNode(true);
    row.querySelectorAll("input").forEach((input) => {
      const part = input.name.split("-")[2];
      input.name = `variants-${next}-${part}`;
      if (input.id) input.id = input.name;
    });
    row.querySelectorAll("label[for]").forEach((label) => { label.htmlFor = `variants-${next}-${label.htmlFor.split("-")[2]}`; });
    next += 1;
    rows.append(row);
    row.querySelector("input:not([type=hidden])").focus();
  });
}

const picker = document.querySelector("[data-pictures]");
const preview = document.querySelector("[data-preview]");
const complaint = document.querySelector("[data-picture-error]");
picker?.addEventListener("change", () => {
  const heavy = [...picker.files].some((file) => file.size > HEAVY);
  complaint.hidden = !heavy;
  complaint.textContent = heavy ? picker.dataset.heavy : "";
  if (heavy) picker.value = "";
  preview.replaceChildren(...[...picker.files].map((file) => {
    const item = document.createElement("li");
    const tile = document.createElement("div");
    tile.className = "tile";
    const picture = document.createElement("img");
    picture.alt = file.name;
    picture.src = URL.createObjectURL(file);
    picture.addEventListener("load", () => URL.revokeObjectURL(picture.src));
    tile.append(picture);
    item.append(tile);
    return item;
  }));
  preview.hidden = !picker.files.length;
});

document.querySelector("[data-product]")?.addEventListener("submit", (event) => {
  event.target.querySelector(".savebar button").disabled = true;
});
