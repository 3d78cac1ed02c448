// What is known about the parcel or chute that a person has picked.

import { chuteState, count, element, metres, reason, say } from "./words.js";

export class Detail {
  #picked = null;
  #body = document.getElementById("detail-body");
  #cells = new Map();
  #onPick;
  #last = null;

  constructor(onPick) {
    this.#onPick = onPick;
    document.getElementById("find").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#find(document.getElementById("find-text").value.trim());
    });
    this.#say([], "Pick a parcel or a chute, or type its number.");
  }

  get picked() {
    return this.#picked;
  }

  pick(picked) {
    this.#picked = picked;
    this.#last = null;
    if (!picked) this.#say([], "Pick a parcel or a chute, or type its number.");
    this.#onPick(picked);
  }

  update(view, items, hub) {
    this.view = { view, items, hub };
    if (this.#picked?.chute !== undefined) this.#chute(view, hub, this.#picked.chute);
    if (this.#picked?.item !== undefined) this.#item(items, hub, this.#picked.item);
  }

  #item(items, hub, key) {
    const item = items.find((each) => each.key === key);
    if (!item) {
      if (this.#last) this.#say(this.#last, "It has left the sorter.");
      else this.#say([], "It is not on the sorter.");
      return;
    }
    const track = hub.tracks[item.track];
    const chute = item.chute === null ? null : hub.chutes[item.chute];
    const to = chute ? chute.name : item.read ? "no chute yet" : "not read yet";
    this.#last = [
      ["Parcel", item.parcel ?? "not known yet"],
      ["Waybill", item.waybill ?? (item.read ? "read" : "–")],
      [track.is_loop ? "Carrier" : "Window", `${item.cell - track.first_cell} of ${track.name}`],
      ["Goes to", to],
      ["Why", reason(item.why)],
      ["Extra laps", `${item.laps} of at most ${hub.laps_max}`],
    ];
    this.#say(this.#last, "");
  }

  #chute(view, hub, index) {
    const [site, row] = [hub.chutes[index], view.chutes[index]];
    if (!site || !row) return this.pick(null);
    const { parcels, length_mm: lengthMm } = site.capacity ?? {};
    const most = parcels !== undefined ? ` of ${count(parcels)}`
      : lengthMm !== undefined ? `, ${metres(lengthMm)} long` : "";
    const eyes = row.full ? "full" : row.half ? "half full" : "below half";
    const bag = row.bag && `${count(row.bag.pieces)} parcels, ${count(row.bag.weight_g)} g`
      + (row.bag.frozen ? ", can be taken off" : "");
    const more = site.destinations_count - site.destinations.length;
    const names = site.destinations.join(", ") + (more > 0 ? ` and ${count(more)} more` : "");
    const places = site.outlets.map((o) => `${hub.tracks[o.track].name} at ${metres(o.at_mm)}`);
    this.#say([
      [site.role === "reject" ? "Reject chute" : "Chute", site.name],
      ["State", chuteState(row).word],
      ["Holds", site.counted ? `${count(row.holds)}${most}` : `${eyes}${most}`],
      ...(bag ? [["Bag", bag]] : []),
      ["On their way", count(row.coming)],
      ["Parcels so far", count(row.dropped)],
      ["Serves", names || (site.role === "reject" ? "what cannot be sorted" : "nothing")],
      ["Outlets", places.join("; ")],
    ], "");
  }

  #find(text) {
    if (!text || !this.view) return;
    const { items, hub } = this.view;
    const same = (name) => name?.toLowerCase() === text.toLowerCase();
    const chute = hub.chutes.findIndex((site) => same(site.name));
    if (chute >= 0) return this.pick({ chute });
    const own = (each) => String(each.cell - hub.tracks[each.track].first_cell);
    const item =
      items.find((each) => same(each.parcel) || same(each.waybill)) ??
      items.find((each) => each.parcel?.endsWith(`-${text}`)) ??
      items.find((each) => own(each) === text);
    if (item) return this.pick({ item: item.key });
    this.pick(null);
    this.#say([], `Nothing on the sorter is called ${text}.`);
  }

  #say(rows, note) {
    const names = rows.map(([name]) => name).join();
    if (names !== this.names) {
      this.names = names;
      this.#cells.clear();
      const list = element("dl");
      for (const [name] of rows) {
        const value = element("dd");
        this.#cells.set(name, value);
        list.append(element("dt", "", name), value);
      }
      this.note = element("p", "note");
      this.#body.replaceChildren(list, this.note);
    }
    for (const [name, value] of rows) say(this.#cells.get(name), value);
    this.note ??= this.#body.appendChild(element("p", "note"));
    say(this.note, note);
  }
}
