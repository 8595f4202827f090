const box = document.getElementById("search"), samples = document.querySelectorAll(".sample");
box.parentElement.hidden = false;
box.addEventListener("input", () => {
  const sought = box.value.trim().toLowerCase();
  for (const one of samples) one.hidden = !one.textContent.toLowerCase().includes(sought);
});
