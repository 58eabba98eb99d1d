// Draws a chart over each table of a <figure data-chart>. Everything that is shown comes out of the table's cells: their
// texts are the labels, their numbers only lengths on the screen. Colours are CSS variables, which SVG understands, so
// dark mode and paper need nothing here.
(() => {
  "use strict";
  const ink = "var(--soft)", line = "var(--rule)";
  const text = (cell) => cell.textContent.trim().replace(/\s+/g, " ");
  const rowsOf = (figure) => [...figure.querySelectorAll("tbody tr")].filter((r) => r.querySelector("data")).map((r) => ({
    name: text(r.cells[0]),
    url: r.cells[0].querySelector("a")?.getAttribute("href"),
    step: r.dataset.step,
    total: r.classList.contains("total"),
    values: [...r.cells].slice(1).map((c) => {
      const d = c.querySelector("data");
      return d ? { size: Number(d.value), label: d.dataset.label } : { size: NaN, label: text(c) };
    }),
  }));
  const short = (n) => {
    const a = Math.abs(n);
    return a >= 1e6 ? n / 1e6 + " M" : a >= 1e3 ? n / 1e3 + " k" : String(n);
  };
  let onPaper = false;
  const letters = () => onPaper ? 9 : 12; // pixels
  // Names beside bars take no more than a third of a narrow screen, and a second line before they are cut. On paper they are small.
  const beside = (plot) => ({ overflow: "break", ...(onPaper ? { width: 124, lineHeight: 9, fontSize: 9 } : { width: Math.min(190, plot.clientWidth * .34), lineHeight: 13, fontSize: plot.clientWidth < 460 ? 11 : 12 }) });
  const font = getComputedStyle(document.body).fontFamily; // by name: texts are measured before they are drawn
  const base = (unit) => ({
    animation: false,
    textStyle: { fontFamily: font, color: ink, fontSize: letters() },
    grid: { left: 8, right: 14, top: 34, bottom: 6, containLabel: true },
    legend: { top: 0, left: 0, itemWidth: onPaper ? 9 : 14, itemHeight: onPaper ? 7 : 10, itemGap: onPaper ? 6 : 10, textStyle: { color: ink, fontSize: letters() } },
    tooltip: { trigger: "axis", axisPointer: { type: "shadow", shadowStyle: { color: "var(--rule)", opacity: .35 } }, renderMode: "richText", confine: true,
      backgroundColor: "var(--sheet)", borderColor: line, textStyle: { color: "var(--ink)" } },
    aria: { enabled: false }, // the table is the text
  });
  const valueAxis = (unit, more) => ({ type: "value", name: unit, nameTextStyle: { color: ink, fontSize: letters() }, axisLabel: { color: ink, fontSize: letters(), formatter: short, hideOverlap: true },
    splitLine: { lineStyle: { color: line } }, ...more });
  const nameAxis = (names, more) => ({ type: "category", data: names, axisLabel: { color: ink, fontSize: letters(), hideOverlap: true, margin: onPaper ? 6 : 11 }, axisLine: { lineStyle: { color: ink } },
    axisTick: { show: false }, ...more });
  const colored = (color) => ({ itemStyle: { color }, lineStyle: { color }, emphasis: { disabled: true } });
  const said = (unit, labels) => (points) => [points[0].name, ...points.filter((p) => labels(p)).map((p) => p.seriesName + ": " + labels(p) + " " + unit)].join("\n");

  const charts = {
    trend(rows, unit, { columns }) {
      const at = columns === "groups" ? { booked: 3, hidden: 4, net: 0 } : { booked: 0, hidden: 1, net: 2 };
      const series = (name, column, more) => ({ name, data: rows.map((r) => r.values[column].size), ...more });
      return { ...base(unit), xAxis: nameAxis(rows.map((r) => r.name)), yAxis: valueAxis(unit),
        grid: { left: 8, right: 14, top: 52, bottom: 6, containLabel: true },
        tooltip: { ...base(unit).tooltip, formatter: said(unit, (p) => rows[p.dataIndex].values[[at.booked, at.hidden, at.net][p.seriesIndex]].label) },
        series: [
          series("Booked", at.booked, { type: "bar", stack: "gross", barMaxWidth: 34, ...colored("var(--booked)") }),
          series("Hidden", at.hidden, { type: "bar", stack: "gross", barMaxWidth: 34, ...colored("var(--hidden)") }),
          series("Net, after paybacks", at.net, { type: "line", symbol: "circle", symbolSize: 5, ...colored("var(--net)"), lineStyle: { color: "var(--net)", width: 1.5 } }),
        ] };
    },

    // Floating bars: an invisible one carries each to where the one before ended; a bar that crosses zero is two.
    waterfall(rows, unit, { good, figure, plot }) {
      const names = beside(plot);
      let level = 0;
      const bars = rows.map((r) => {
        const size = r.values[0].size, from = r.total ? 0 : level, to = r.total ? size : level + size;
        level = to;
        const low = Math.min(from, to), high = Math.max(from, to);
        return { size, carry: low > 0 ? low : high < 0 ? high : 0, above: Math.max(high, 0) - Math.max(low, 0), below: Math.min(low, 0) - Math.min(high, 0) };
      });
      // Steps that are small beside what they start from would be invisible: then the scale begins near them, and says so.
      const ends = bars.map((b) => b.carry + b.above + b.below), top = Math.max(...ends), bottom = Math.min(...ends, ...bars.filter((b) => b.carry > 0).map((b) => b.carry));
      let begin = 0;
      if (bars.every((b) => b.below === 0) && bottom > .7 * top && rows[0]?.total) {
        const unitOf = 10 ** Math.floor(Math.log10(top - bottom || 1));
        begin = Math.floor((bottom - (top - bottom)) / unitOf) * unitOf;
        figure.querySelector(".scaled").hidden = false;
      }
      const better = good === "up" ? 1 : -1;
      const color = (i) => rows[i].total ? "var(--whole)" : Math.sign(bars[i].size) === better ? "var(--paid)" : good === "up" ? "var(--hidden)" : "var(--booked)";
      const label = (i, position) => ({ show: true, position, color: "var(--ink)", fontSize: letters(), fontWeight: rows[i].total ? "bold" : "normal", formatter: () => rows[i].values[0].label });
      const series = (of, position, labelled) => ({ type: "bar", stack: "all", barMaxWidth: 26, emphasis: { disabled: true },
        data: bars.map((b, i) => ({ value: of(b), itemStyle: { color: color(i) }, label: labelled(b) ? label(i, position) : { show: false } })) });
      return { ...base(unit), legend: { show: false }, grid: { left: onPaper ? 0 : 8, right: onPaper ? 52 : 84, top: 4, bottom: 6, containLabel: true },
        xAxis: valueAxis("", { splitNumber: onPaper ? 2 : 4, min: begin }),
        yAxis: nameAxis(rows.map((r) => r.name), { inverse: true, axisLabel: { color: ink, interval: 0, ...names } }),
        tooltip: { ...base(unit).tooltip, formatter: (points) => rows[points[0].dataIndex].name + "\n" + rows[points[0].dataIndex].values[0].label + " " + unit },
        series: [
          { type: "bar", stack: "all", silent: true, barMaxWidth: 26, data: bars.map((b) => b.carry), itemStyle: { color: "none" }, emphasis: { disabled: true } },
          series((b) => b.above, "right", (b) => b.above > 0 || b.below === 0),
          series((b) => b.below, "left", (b) => b.above === 0 && b.below < 0),
        ] };
    },

    split(rows, unit, { plot }) {
      const names = beside(plot);
      const series = (name, column, color) => ({ name, type: "bar", stack: "all", barMaxWidth: 24, data: rows.map((r) => r.values[column].size), ...colored(color) });
      return { ...base(unit), grid: { left: 8, right: 20, top: 30, bottom: 6, containLabel: true },
        xAxis: valueAxis("", { splitNumber: 4 }),
        yAxis: nameAxis(rows.map((r) => r.name), { inverse: true, axisLabel: { color: ink, interval: 0, ...names } }),
        tooltip: { ...base(unit).tooltip, formatter: said(unit, (p) => rows[p.dataIndex].values[p.seriesIndex].label) },
        series: [series("Booked", 0, "var(--booked)"), series("Hidden", 1, "var(--hidden)")] };
    },

    stack(rows, unit, { plot }) {
      const parts = [["Preventing", "--prevent"], ["Checking", "--check"], ["Failed before delivery", "--inside"], ["Failed after delivery", "--outside"]];
      return { ...base(unit), grid: { left: 8, right: 14, top: onPaper ? 54 : plot.clientWidth < 460 ? 86 : 52, bottom: 6, containLabel: true },
        xAxis: nameAxis(rows.map((r) => r.name)), yAxis: valueAxis(unit),
        tooltip: { ...base(unit).tooltip, formatter: said(unit, (p) => rows[p.dataIndex].values[p.seriesIndex].label) },
        series: parts.map(([name, color], i) => ({ name, type: "bar", stack: "all", barMaxWidth: 44, data: rows.map((r) => r.values[i].size), ...colored(`var(${color})`) })) };
    },

    // A bar from the lower to the upper end, carried by an invisible one, and the share as a dot on it.
    interval(rows, unit, { figure, plot }) {
      const ends = [...figure.querySelectorAll("tbody tr[data-low]")].map((r) => [Number(r.dataset.low), Number(r.dataset.high)]);
      const bar = (of, color) => ({ type: "bar", stack: "all", barMaxWidth: 12, silent: true, data: ends.map(of), ...colored(color) });
      return { ...base(unit), legend: { show: false }, grid: { left: 8, right: 24, top: 12, bottom: 6, containLabel: true },
        xAxis: valueAxis("", { min: 0, max: 100, interval: plot.clientWidth < 460 ? 50 : 25, axisLabel: { color: ink, fontSize: letters(), formatter: "{value} %" } }),
        yAxis: nameAxis(rows.map((r) => r.name), { inverse: true, axisLabel: { color: ink, interval: 0, ...beside(plot) } }),
        tooltip: { ...base(unit).tooltip, formatter: (points) => { const r = rows[points[0].dataIndex]; return [r.name, r.values[2].label, "95 % certain: " + r.values[3].label, r.values[1].label + " of " + r.values[0].label].join("\n"); } },
        series: [bar(([low]) => low, "none"), { ...bar(([low, high]) => high - low, "var(--soft)"), itemStyle: { color: "var(--soft)", opacity: .45 } },
          { type: "scatter", symbolSize: letters(), z: 5, data: rows.map((r, i) => [r.values[2].size, i]), ...colored("var(--ink)"), itemStyle: { color: "var(--ink)", opacity: 1 },
            label: { show: true, position: "top", distance: onPaper ? 2 : 5, color: "var(--ink)", fontSize: letters(), formatter: (p) => rows[p.dataIndex].values[2].label } }] };
    },

    pareto(rows, unit, { plot }) {
      const most = Math.max(3, Math.min(12, Math.floor((plot.clientWidth - 90) / 66))); // the rest is in the table
      const shown = rows.slice(0, most), shares = shown.map((r) => r.values[7].label);
      const percent = (s) => Number(s.replace("−", "-").replace(/[^\d.-]/g, ""));
      // Both scales have their zero and their steps on the same lines: a fifth of the left one is 20 % of the right one.
      const sizes = shown.map((r) => r.values[0].size), fifth = Math.max(...sizes, 1) / 5, ten = 10 ** Math.floor(Math.log10(fifth));
      const step = [1, 2, 2.5, 3, 4, 5, 6, 8, 10].map((n) => n * ten).find((n) => n >= fifth);
      const under = Math.max(0, Math.ceil(-Math.min(...sizes) / step));
      return { ...base(unit), grid: { left: 8, right: 14, top: 52, bottom: 6, containLabel: true },
        xAxis: nameAxis(shown.map((r) => r.name), { axisLabel: { color: ink, interval: 0, width: 78, overflow: "break", lineHeight: 14, fontSize: 11.5 } }),
        yAxis: [valueAxis(unit, { min: -under * step, max: 5 * step, interval: step }),
          valueAxis("%", { min: -under * 20, max: 100, interval: 20, splitLine: { show: false }, axisLabel: { color: ink, formatter: (v) => v < 0 ? "" : String(v) } })],
        tooltip: { ...base(unit).tooltip, formatter: (points) => { const i = points[0].dataIndex; return shown[i].name + "\nNet: " + shown[i].values[0].label + " " + unit + "\nSo far: " + shares[i]; } },
        series: [
          { name: "Net cost", type: "bar", barMaxWidth: 56, data: shown.map((r) => r.values[0].size), ...colored("var(--booked)") },
          { name: "Share of the whole so far", type: "line", yAxisIndex: 1, symbol: "circle", symbolSize: 6, data: shares.map(percent), ...colored("var(--hidden)") },
          // The amounts stand over the line that crosses them.
          { type: "line", data: shown.map((r) => Math.max(r.values[0].size, 0)), symbol: "circle", symbolSize: 1, itemStyle: { color: "none" }, silent: true, z: 9, lineStyle: { width: 0 },
            label: { show: true, position: "top", color: "var(--ink)", fontSize: 11.5, textBorderColor: "var(--sheet)", textBorderWidth: 3, formatter: (p) => shown[p.dataIndex].values[0].label } },
        ] };
    },
  };

  let drawn = [];
  const draw = (figure) => {
    const rows = rowsOf(figure), plot = figure.querySelector(".plot");
    const { chart: kind, unit = "", columns, good } = figure.dataset;
    if (rows.length === 0 || !window.echarts) {
      plot.classList.add("empty");
      for (const d of figure.querySelectorAll("details")) d.open = true;
      return;
    }
    const flat = ["waterfall", "split", "interval"].includes(kind);
    // Its least height: beside a taller chart it grows.
    const height = flat ? Math.max(200, rows.length * (good || kind === "interval" ? 40 : 30) + 56) : plot.closest(".first") ? 240 : 320;
    plot.style.height = height + "px";
    const chart = window.echarts.init(plot, null, { renderer: "svg" });
    const show = () => chart.setOption(charts[kind](rows, unit, { columns, good, figure, plot }), true);
    show();
    chart.getZr().on("click", (e) => {
      const at = chart.convertFromPixel({ gridIndex: 0 }, [e.offsetX, e.offsetY]);
      const row = at && rows[Math.round(flat ? at[1] : at[0])];
      if (row?.url) window.location.assign(row.url);
    });
    drawn.push({ chart, plot, show, height, paper: { interval: 150, stack: 190, trend: 190 }[kind] ?? height / 2 }); // so that two pages hold all
  };

  const fit = () => drawn.forEach(({ chart, show }) => { chart.resize(); show(); chart.getZr().flush(); });
  let waiting;
  const sizes = new ResizeObserver(() => { clearTimeout(waiting); waiting = setTimeout(fit, 100); });
  const drawAll = () => {
    sizes.disconnect();
    for (const { chart } of drawn) chart.dispose();
    drawn = [];
    for (const d of document.querySelectorAll("figure[data-chart] details")) d.open = false;
    for (const figure of document.querySelectorAll("figure[data-chart]")) draw(figure);
    fit(); // charts of a row are of one height, which is known once all of them stand
    for (const { plot } of drawn) sizes.observe(plot); // a table that is opened may change the chart beside it
  };
  // Less than the width of A4 and Letter inside their margins, in CSS pixels, and than half of it: charts stand in two columns.
  const sized = (paper) => {
    onPaper = paper;
    for (const { plot, height, paper: least } of drawn) {
      plot.style.width = paper ? (plot.closest(".wide") ? 680 : 338) + "px" : "";
      plot.style.height = (paper ? least : height) + "px";
      plot.style.flex = paper ? "none" : ""; // the styles of paper are not there yet
    }
    fit();
  };
  drawAll();
  window.addEventListener("beforeprint", () => sized(true));
  window.addEventListener("afterprint", () => sized(false));

  // What was still being counted when the page was made comes by itself: the page is asked for again, and shown once it
  // has more. Where somebody is on it with the keyboard they stay on the same link; who opened something is left alone.
  const counting = (of) => Number(of.querySelector("[data-counting]")?.dataset.counting ?? 0);
  const same = (e) => e?.id ? `#${CSS.escape(e.id)}` : e?.getAttribute?.("href") ? `main a[href="${CSS.escape(e.getAttribute("href"))}"]` : null;
  const complete = async (tries) => {
    const left = counting(document);
    if (left === 0 || tries === 0) return;
    // Where there is no number yet the server answers as soon as it has them.
    if (tries < 30 || !document.querySelector("[data-waiting]")) await new Promise((wait) => setTimeout(wait, Math.min(500 * (31 - tries), 10000)));
    try {
      const answer = await fetch(window.location.href, { headers: { Accept: "text/html" } });
      const main = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
      const busy = onPaper || document.activeElement?.closest("main form") || document.querySelector(".next details[open], figure:not(:has(.plot.empty)) details[open]");
      if (main && counting(main) < left && !busy) {
        const at = same(document.activeElement);
        document.querySelector("main").replaceChildren(...main.childNodes);
        drawAll();
        if (at) document.querySelector(at)?.focus({ preventScroll: true });
      }
    } catch { /* asked again below */ }
    return complete(tries - 1);
  };
  complete(30);
})();
