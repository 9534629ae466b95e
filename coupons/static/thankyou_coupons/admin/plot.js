// <ty-plot source="id">: draws the figures of the table beside it with Chart.js.
//
// The figures: {days: [text], series: [{label, values, kind: "bar" | "line", hidden}], choose}. With "choose", a text, there is
// a box to tick for each series. {days, issued, redeemed, labels} are a bar and a line.

/** Each line has its own shape and its own dashes, so that it is known without its colour. */
const SHAPES = ["rectRot", "circle", "triangle", "rect", "star", "crossRot"];
const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 5], [1, 4]];

class Plot extends HTMLElement {
  connectedCallback() {
    const source = document.getElementById(this.getAttribute("source"));
    if (!source || !window.Chart) return;
    this.figures = JSON.parse(source.textContent);
    this.series = this.figures.series ?? this.barAndLine();
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", this.getAttribute("label"));
    this.append(this.canvas);
    if (this.figures.choose) this.after(this.boxes());
    this.draw();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  barAndLine() {
    const { issued, redeemed, labels } = this.figures;
    return [
      { label: labels.issued, values: issued, kind: "bar" },
      { label: labels.redeemed, values: redeemed, kind: "line" },
    ];
  }

  boxes() {
    const group = document.createElement("fieldset");
    group.className = "ty-choose";
    const legend = document.createElement("legend");
    legend.textContent = this.figures.choose;
    group.append(legend);
    for (const each of this.series) {
      const [label, box] = [document.createElement("label"), document.createElement("input")];
      box.type = "checkbox";
      box.checked = !each.hidden;
      box.addEventListener("change", () => {
        each.hidden = !box.checked;
        this.draw();
      });
      label.append(box, each.label);
      group.append(label);
    }
    return group;
  }

  /** A custom property may hold a formula that a canvas cannot read; the browser resolves it here. */
  colour(value) {
    this.style.color = value;
    const found = getComputedStyle(this).color;
    this.style.color = "";
    return found;
  }

  /** What Chart.js draws: lines first, so that they lie above the bars. */
  datasets() {
    const [bar, line] = [this.colour("var(--ty-issued)"), this.colour("var(--ty-redeemed)")];
    const paper = this.colour("var(--w-color-surface-page)");
    const isCrowded = this.figures.days.length > 60;
    const isLine = (each) => each.kind !== "bar";
    const lines = this.series.filter(isLine);
    const shown = this.series.filter((each) => !each.hidden);
    return [...shown.filter(isLine), ...shown.filter((each) => !isLine(each))].map((each) => {
      const common = { label: each.label, data: each.values };
      if (!isLine(each)) return { ...common, type: "bar", backgroundColor: bar, pointStyle: "rect" };
      // The first line is the one that is looked for: it is not dashed.
      const place = (lines.indexOf(each) - this.firstLine(lines) + lines.length) % lines.length;
      return {
        ...common,
        type: "line",
        borderColor: line,
        backgroundColor: line,
        pointBorderColor: place % SHAPES.length > 3 ? line : paper,
        borderWidth: 2,
        borderDash: DASHES[place % DASHES.length],
        pointStyle: SHAPES[place % SHAPES.length],
        pointRadius: isCrowded ? 0 : 5,
      };
    });
  }

  firstLine(lines) {
    this.first ??= Math.max(
      lines.findIndex((each) => !each.hidden),
      0,
    );
    return this.first;
  }

  draw() {
    const [text, grid] = [this.colour("var(--w-color-text-meta)"), this.colour("var(--w-color-border-furniture)")];
    this.chart?.destroy();
    this.chart = new window.Chart(this.canvas, {
      data: { labels: this.figures.days, datasets: this.datasets() },
      options: {
        animation: false,
        maintainAspectRatio: false,
        interaction: { mode: "index", intersect: false },
        scales: {
          x: { ticks: { color: text, maxRotation: 0, autoSkipPadding: 16 }, grid: { display: false } },
          y: { beginAtZero: true, ticks: { color: text, precision: 0 }, grid: { color: grid } },
        },
        plugins: { legend: { position: "bottom", labels: { color: text, usePointStyle: true } } },
      },
    });
  }
}

customElements.define("ty-plot", Plot);
