// The storefront works without this; it only spares a page load and shows the chosen price and picture.
const bar = document.querySelector("[data-count]");

document.querySelectorAll("[data-stepper]").forEach((stepper) => {
  const input = stepper.querySelector("input");
  stepper.querySelectorAll("button").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => {
      const wanted = (parseInt(input.value, 10) || 1) + Number(button.dataset.step);
      input.value = Math.min(Math.max(wanted, Number(input.min)), Number(input.max));
    });
  });
});

let toastTimer;
function toast(text, link) {
  document.querySelector(".toast")?.remove();
  const box = document.createElement("div");
  box.className = "toast";
  box.setAttribute("role", "status");
  const words = document.createElement("span");
  words.textContent = text;
  const go = document.createElement("a");
  go.href = "/cart";
  go.textContent = link;
  box.append(words, go);
  document.body.append(box);
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => box.remove(), 5000);
}

const buy = document.querySelector("[data-buy]");
if (buy) {
  buy.addEventListener("change", () => {
    const chosen = buy.querySelector("input[name=variant]:checked");
    if (chosen?.dataset.price) document.querySelectorAll("[data-price]:not(input)").forEach((place) => { place.textContent = chosen.dataset.price; });
  });
  buy.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const answer = await fetch(buy.action, { method: "POST", body: new URLSearchParams(new FormData(buy)), headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const { pieces, added } = await answer.json();
      bar.textContent = pieces;
      bar.hidden = false;
      toast(added ? buy.dataset.added : buy.dataset.noMore, buy.dataset.go);
    } catch {
      buy.submit();
    }
  });
}

const gallery = document.querySelector("[data-gallery]");
const strip = gallery?.querySelector(".strip");
const thumbs = [...(gallery?.querySelectorAll(".thumbs a") ?? [])];
if (strip && thumbs.length) {
  const mark = (index) => thumbs.forEach((thumb, at) => { if (at === index) thumb.setAttribute("aria-current", "true"); else thumb.removeAttribute("aria-current"); });
  thumbs.forEach((thumb, index) => thumb.addEventListener("click", (event) => {
    event.preventDefault();
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    strip.scrollTo({ left: index * strip.clientWidth, behavior: calm ? "auto" : "smooth" });
    mark(index);
  }));
  strip.addEventListener("scroll", () => mark(Math.round(strip.scrollLeft / strip.clientWidth)), { passive: true });
}
