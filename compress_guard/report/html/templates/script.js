"use strict";
(function () {
  var tip = document.getElementById("tip");

  function show(point) {
    var box = point.getBoundingClientRect();
    tip.textContent = point.getAttribute("aria-label");
    tip.hidden = false;
    var left = Math.min(Math.max(8, box.left + box.width / 2 - tip.offsetWidth / 2), innerWidth - tip.offsetWidth - 8);
    var above = box.top - tip.offsetHeight - 6;
    tip.style.left = left + "px";
    tip.style.top = (above < 4 ? box.bottom + 6 : above) + "px";
  }

  function hide() {
    tip.hidden = true;
  }

  document.querySelectorAll(".chart").forEach(function (chart) {
    var points = Array.from(chart.querySelectorAll(".point"));

    function visible() {
      return points.filter(function (point) { return !point.closest(".curve").classList.contains("off"); });
    }

    // One stop of the tab key for each figure; arrow keys go from point to point.
    function settle() {
      points.forEach(function (point) { point.setAttribute("tabindex", "-1"); });
      if (visible().length) { visible()[0].setAttribute("tabindex", "0"); }
    }

    points.forEach(function (point) {
      var title = point.querySelector("title");
      if (title) { title.remove(); }
      point.addEventListener("pointerenter", function () { show(point); });
      point.addEventListener("pointerleave", hide);
      point.addEventListener("focus", function () { show(point); });
      point.addEventListener("blur", hide);
      point.addEventListener("keydown", function (event) {
        var step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (event.key === "Escape") { hide(); }
        if (!step) { return; }
        event.preventDefault();
        var shown = visible();
        shown[(shown.indexOf(point) + step + shown.length) % shown.length].focus();
      });
    });
    chart.querySelectorAll("input").forEach(function (box) {
      box.addEventListener("change", function () {
        var curve = chart.querySelector(".curve[data-curve='" + box.dataset.curve + "']");
        curve.classList.toggle("off", !box.checked);
        hide();
        settle();
      });
    });
    settle();
  });

  function open() {
    var there = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    var around = there && there.closest("details");
    if (around) {
      around.open = true;
      there.scrollIntoView();
    }
  }
  addEventListener("hashchange", open);
  addEventListener("scroll", hide, { passive: true });
  open();
})();
