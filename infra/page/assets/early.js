// Says at once that charts will be drawn, so that nothing jumps when they are.
document.documentElement.classList.add("scripted");
