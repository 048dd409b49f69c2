// What Folium's script calls while it builds the coverage map, and what dresses the map afterwards.
// Text reaches the page in two ways only: popups and tooltips as HTML escaped where they were written, and names on
// the map as the text of a node.

const mapData = JSON.parse(document.getElementById("map-data").textContent);
const popups = {};
const tooltips = {};
// Hovering does not exist on a touch screen, where a tooltip would stay beside the popup.
const canHover = window.matchMedia("(hover: hover)").matches;
const popupOptions = { maxWidth: 280, minWidth: 180, autoPanPaddingTopLeft: [58, 12], autoPanPaddingBottomRight: [12, 12] };

function settlementsStyle(feature) {
  const isPattern = feature.properties.fill.startsWith("url(");
  return {
    className: "settlement" + (isPattern ? " blank" : ""),
    color: "#55504a",
    weight: 0.8,
    fillColor: feature.properties.fill,
    fillOpacity: 1,
  };
}

function settlementsBind(feature, layer) {
  const { key, popup, tooltip } = feature.properties;
  popups[key] = popup;
  tooltips[key] = tooltip;
  bindTexts(layer, key);
  layer.on("mouseover", () => layer.setStyle({ weight: 2.5, color: "#1c1a18" }).bringToFront());
  layer.on("mouseout", () => layer.setStyle({ weight: 0.8, color: "#55504a" }));
}

function circlesStyle() {
  // Not filled: a veil over the settlement would turn its colour into that of another class.
  return { className: "circle", color: "#12355b", weight: 1.6, fill: false };
}

function circlesBind(feature, layer) {
  bindTexts(layer, feature.properties.key);
}

function wardsStyle() {
  return { className: "ward", color: "#6b7280", weight: 1.2, dashArray: "6 4", fill: false, interactive: false };
}

function wardsBind() {}

function circleMarker(feature, latlng) {
  // A settlement that nobody has drawn is a circle of its own among the shaded ones.
  const radius = feature.properties.radius;
  return L.circleMarker(latlng, radius ? { radius, pane: "circles" } : { radius: 9, pane: "settlements" });
}

function bindTexts(layer, key) {
  layer.bindPopup(popups[key], popupOptions);
  if (!canHover) return;
  layer.bindTooltip(tooltips[key], { sticky: true, className: "tip" });
  layer.on("popupopen", () => layer.closeTooltip());
  layer.on("tooltipopen", () => { if (layer.isPopupOpen()) layer.closeTooltip(); });
}

// Round steps of degrees, minutes and seconds, so that the lines read as on a paper map.
const steps = [10, 5, 2, 1, 0.5, 0.25, 1 / 6, 1 / 12, 1 / 30, 1 / 60, 1 / 120, 1 / 240, 1 / 360, 1 / 720, 1 / 1800];

function degreesText(value, positive, negative) {
  const seconds = Math.round(Math.abs(value) * 3600);
  const parts = [Math.floor(seconds / 3600) + "°", String(Math.floor(seconds / 60) % 60).padStart(2, "0") + "′"];
  if (seconds % 60) parts.push(String(seconds % 60).padStart(2, "0") + "″");
  return parts.join("") + (value < 0 ? negative : positive);
}

function textNode(className, text) {
  const node = document.createElement("span");
  node.className = className;
  node.dir = "auto";
  node.textContent = text;
  return node;
}

function addText(group, latlng, className, text, pane = "markerPane") {
  const icon = L.divIcon({ className: "text", html: textNode(className, text), iconSize: [0, 0] });
  L.marker(latlng, { icon, pane, interactive: false, keyboard: false }).addTo(group);
}

function drawGraticule(map, group) {
  group.clearLayers();
  const bounds = map.getBounds();
  const size = map.getSize();
  if (!size.x || !size.y) return;
  const line = { color: "#c9d1d6", weight: 0.7, interactive: false, pane: "graticule" };
  const spanPx = 170;
  const want = ((bounds.getEast() - bounds.getWest()) / size.x) * spanPx;
  const step = steps.find((candidate) => candidate <= want) || steps[steps.length - 1];
  for (let i = Math.ceil(bounds.getWest() / step); i * step <= bounds.getEast(); i++) {
    const x = map.latLngToContainerPoint([bounds.getNorth(), i * step]).x;
    L.polyline([[bounds.getSouth(), i * step], [bounds.getNorth(), i * step]], line).addTo(group);
    // The corner belongs to the scale.
    if (x > 20 && x < size.x - 220) {
      const at = map.containerPointToLatLng([x + 4, size.y - 18]);
      addText(group, at, "degrees", degreesText(i * step, "E", "W"), "graticule");
    }
  }
  for (let i = Math.ceil(bounds.getSouth() / step); i * step <= bounds.getNorth(); i++) {
    const y = map.latLngToContainerPoint([i * step, bounds.getWest()]).y;
    L.polyline([[i * step, bounds.getWest()], [i * step, bounds.getEast()]], line).addTo(group);
    if (y > 30 && y < size.y - 100) {
      const at = map.containerPointToLatLng([size.x - 66, y - 16]);
      addText(group, at, "degrees", degreesText(i * step, "N", "S"), "graticule");
    }
  }
}

// Names where they fit: a settlement that is wide enough on the screen, and never two names over each other.
function drawNames(map, group, layers) {
  group.clearLayers();
  const view = map.getBounds();
  const context = document.createElement("canvas").getContext("2d");
  context.font = "600 12px system-ui, sans-serif";
  const taken = [];
  const candidates = [];
  layers.forEach(({ layer, className, room }) => {
    layer.eachLayer((shape) => {
      const bounds = shape.getBounds();
      if (!shape.feature.properties.name || !map.hasLayer(shape) || !view.intersects(bounds)) return;
      const a = map.latLngToContainerPoint(bounds.getNorthWest());
      const b = map.latLngToContainerPoint(bounds.getSouthEast());
      candidates.push({ shape, className, room, width: b.x - a.x, height: b.y - a.y });
    });
  });
  candidates.sort((a, b) => b.width * b.height - a.width * a.height);
  for (const { shape, className, room, width, height } of candidates) {
    if (taken.length >= 120) break;
    const name = shape.feature.properties.name;
    const length = context.measureText(name).width;
    if (length > width * room || height < 20) continue;
    const middle = shape.getBounds().getCenter();
    const at = map.latLngToContainerPoint(middle);
    const box = [at.x - length / 2 - 3, at.y - 9, at.x + length / 2 + 3, at.y + 9];
    if (taken.some((b) => box[0] < b[2] && box[2] > b[0] && box[1] < b[3] && box[3] > b[1])) continue;
    taken.push(box);
    addText(group, middle, className, name);
  }
}

// Folium puts the layer control on the map; beside it, it covers no settlement and stands in reach on a phone.
function moveLayerControl() {
  const control = document.querySelector(".leaflet-control-layers");
  if (control) document.querySelector(".layers").append(control);
}

function addNorthArrow(map) {
  const control = L.control({ position: "bottomright" });
  control.onAdd = () => {
    const arrow = L.DomUtil.create("div", "north");
    arrow.textContent = "N";
    arrow.setAttribute("aria-label", "North is up");
    return arrow;
  };
  control.addTo(map);
}

// Paper has another width than the screen, and Leaflet draws for one width only. So the map is laid out anew in the
// size of the printed sheet (map.css, .printing) before it is printed, and back afterwards.
function prepareForPrint(map, bounds) {
  const details = Array.from(document.querySelectorAll("details"));
  let before = null;
  function enter() {
    if (before) return;
    before = { center: map.getCenter(), zoom: map.getZoom(), open: details.map((d) => d.open) };
    details.forEach((d) => { d.open = true; });
    map.closePopup();
    document.documentElement.classList.add("printing");
    map.invalidateSize({ animate: false });
    if (bounds) map.fitBounds(bounds, { animate: false, padding: [16, 16], maxZoom: 17 });
  }
  function leave() {
    if (!before) return;
    document.documentElement.classList.remove("printing");
    details.forEach((d, i) => { d.open = before.open[i]; });
    map.invalidateSize({ animate: false });
    map.setView(before.center, before.zoom, { animate: false });
    before = null;
  }
  window.addEventListener("beforeprint", enter);
  window.addEventListener("afterprint", leave);
  window.matchMedia("print").addEventListener("change", (event) => (event.matches ? enter() : leave()));
}

// `layers` holds Leaflet's layers by name, still empty; `bounds` is null where no settlement has a boundary.
function dressMap(map, layers, bounds) {
  if (bounds) map.fitBounds(bounds, { animate: false, padding: [24, 24], maxZoom: 17 });
  else map.setView([0, 0], 3);
  for (const [name, layer] of Object.entries(layers)) layer.addData(mapData[name]);
  L.control.scale({ position: "bottomright", imperial: false, maxWidth: 140 }).addTo(map);
  addNorthArrow(map);
  moveLayerControl();
  const graticule = L.layerGroup().addTo(map);
  const names = L.layerGroup().addTo(map);
  const named = [];
  if (layers.settlements) named.push({ layer: layers.settlements, className: "name", room: 0.95 });
  if (layers.wards) named.push({ layer: layers.wards, className: "ward-name", room: 0.9 });
  const redraw = () => {
    drawGraticule(map, graticule);
    drawNames(map, names, named);
  };
  map.on("moveend resize overlayadd overlayremove", redraw);
  redraw();
  // With the shading off there is nothing below a circle to click on, so all of it takes the click.
  const container = map.getContainer();
  // Leaflet hears the keys of the map only, and a click leaves the focus on the settlement.
  container.addEventListener("keydown", (event) => { if (event.key === "Escape") map.closePopup(); });
  const follow = () => {
    container.classList.toggle("unshaded", !map.hasLayer(layers.settlements));
    // The legend explains what is drawn.
    document.documentElement.classList.toggle("no-circles", !map.hasLayer(layers.circles));
  };
  map.on("overlayadd overlayremove", follow);
  if (layers.circles) follow();
  prepareForPrint(map, bounds);
  // The map's own size may change without the window's: a turned phone, a frame in a city's portal.
  if (window.ResizeObserver) new ResizeObserver(() => map.invalidateSize({ animate: false })).observe(container);
}
