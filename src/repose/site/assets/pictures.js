// The pictures of a test pair: what was given, what is true, what one method drew, or two.
"use strict";

{
  const data = pageData(), against = document.getElementById("against"), place = document.getElementById("pictures");

  function row(title, pictures) {
    const made = element("div"), list = element("div");
    list.append(...pictures.map(([name, address]) => {
      const figure = element("figure"), link = element("a", undefined, { href: repose.up + address, download: "" });
      link.append(element("img", undefined, { src: repose.up + address, alt: name }));
      figure.append(link, element("figcaption", name));
      return figure;
    }));
    if (!pictures.length) list.append(element("p", "not in this site", { class: "quiet" }));
    made.append(element("h3", title), list);
    return made;
  }

  function show(protocol, { items, shown }, pair) {
    const other = against.value && repose.shownBy[against.value]?.[protocol]?.[pair];
    const [source, target] = items[pair];
    place.replaceChildren(
      row(`${source} in the pose of ${target}`, (shown[pair] ?? other)?.given ?? []),
      row(data.method, shown[pair]?.drawn ?? []),
      ...(against.value ? [row(against.value, other?.drawn ?? [])] : []),
    );
  }
  against.addEventListener("change", repose.browse(data, place, show));
}
