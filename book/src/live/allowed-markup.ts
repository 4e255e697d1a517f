/**
 * The markup that an output may bring into the page: text, tables and drawings. No script, no style sheet, no
 * frame, no form, no address that leaves the page.
 */
const elements = new Set(
  (
    "a abbr b bdi blockquote br caption code col colgroup dd del details dfn div dl dt em figcaption figure h3 h4 h5 h6 hr i ins kbd li " +
    "mark ol p pre q rp rt ruby s samp section small span strong sub summary sup table tbody td tfoot th thead time tr u ul var wbr " +
    "svg g path rect circle ellipse line polyline polygon text tspan title desc defs clipPath linearGradient radialGradient stop marker pattern mask use symbol"
  )
    .toLowerCase()
    .split(" "),
);

const attributes = new Set(
  (
    "class id role title lang dir colspan rowspan scope headers open start reversed datetime xmlns viewbox width height x y x1 y1 x2 y2 " +
    "cx cy r rx ry d dx dy points transform fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-dasharray stroke-dashoffset " +
    "stroke-linecap stroke-linejoin opacity font-size font-family font-weight font-style font-variant letter-spacing text-anchor " +
    "dominant-baseline alignment-baseline paint-order vector-effect shape-rendering text-rendering preserveaspectratio gradientunits " +
    "gradienttransform offset stop-color stop-opacity clip-path clippathunits markerwidth markerheight refx refy orient markerunits " +
    "marker-start marker-mid marker-end mask patternunits visibility xml:space tabindex style"
  ).split(" "),
);

const innerAddress = /^#[\w:.-]*$/;
/** No address, no escape, no way out of the output's own box. */
const unsafeStyle = /url\s*\(|@|\\|expression|position\s*:|z-index/i;

/** Whether an element may stay; its children are judged on their own. */
export function isAllowedElement(name: string): boolean {
  return elements.has(name.toLowerCase());
}

/** Whether an element is dropped together with everything in it. */
export function isDroppedWhole(name: string): boolean {
  return /^(script|style|iframe|object|embed|template|noscript|foreignobject|math|link|meta|base)$/i.test(
    name,
  );
}

/** Whether an attribute with this value may stay. */
export function isAllowedAttribute(name: string, value: string): boolean {
  const key = name.toLowerCase();
  if (key === "href" || key === "xlink:href") return innerAddress.test(value);
  if (key.startsWith("aria-") || key.startsWith("data-")) return true;
  if (!attributes.has(key)) return false;
  if (key === "style") return !unsafeStyle.test(value);
  return !/javascript:|data:|url\(\s*['"]?(?!#)/i.test(value);
}
