// <ty-plot source="id">: draws the figures of the table beside it with Chart.js.

class Plot extends HTMLElement {
  connectedCallback() {
    const source = document.getElementById(this.getAttribute("source"));
    if (!source || !window.Chart) return;
    this.figures = JSON.parse(source.textContent);
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", this.getAttribute("label"));
    this.append(this.canvas);
    this.draw();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  /** A custom property may hold a formula that a canvas cannot read; the browser resolves it here. */
  colour(value) {
    this.style.color = value;
    const found = getComputedStyle(this).color;
    this.style.color = "";
    return found;
  }

  draw() {
    const { days, issued, redeemed, labels } = this.figures;
    const [text, grid] = [this.colour("var(--w-color-text-meta)"), this.colour("var(--w-color-border-furniture)")];
    const [bar, line] = [this.colour("var(--ty-issued)"), this.colour("var(--ty-redeemed)")];
    const paper = this.colour("var(--w-color-surface-page)");
    this.chart?.destroy();
    this.chart = new window.Chart(this.canvas, {
      data: {
        labels: days,
        datasets: [
          {
            type: "line",
            label: labels.redeemed,
            data: redeemed,
            borderColor: line,
            backgroundColor: line,
            pointBorderColor: paper,
            borderWidth: 2,
            pointStyle: "rectRot",
            pointRadius: days.length > 60 ? 0 : 5,
          },
          { type: "bar", label: labels.issued, data: issued, backgroundColor: bar, pointStyle: "rect" },
        ],
      },
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
