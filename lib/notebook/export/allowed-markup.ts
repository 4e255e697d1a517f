/**
 * The HTML and SVG that an output or a text cell may bring into a page: text, tables, drawings.
 *
 * No script, handler, frame, form or style sheet, and no address that a browser would fetch by itself. Whatever is
 * not named here is taken out; its text stays, except for elements whose text is not prose.
 */
import { defaultSchema, type Schema } from "hast-util-sanitize";

const words = (text: string): string[] => text.trim().split(/\s+/);

const SVG_ELEMENTS = words(`
  svg g path rect circle ellipse line polyline polygon text tspan title desc defs clipPath linearGradient
  radialGradient stop marker pattern mask symbol use`);

const HTML_ELEMENTS = words(`
  abbr bdi bdo caption cite col colgroup data dfn figcaption figure mark output samp small span time u var wbr`);

/** hast names of presentation attributes whose values cannot fetch anything. */
const SVG_ATTRIBUTES = words(`
  viewBox xmlns width height x y x1 y1 x2 y2 cx cy r rx ry d dx dy points pathLength transform fillOpacity fillRule
  strokeWidth strokeOpacity strokeDashArray strokeDashOffset strokeLineCap strokeLineJoin strokeMiterLimit opacity
  fontSize fontFamily fontWeight fontStyle fontVariant letterSpacing textAnchor textLength lengthAdjust
  dominantBaseline alignmentBaseline baselineShift paintOrder vectorEffect shapeRendering textRendering
  preserveAspectRatio gradientUnits gradientTransform spreadMethod offset stopOpacity clipPathUnits markerWidth
  markerHeight markerUnits refX refY orient patternUnits patternTransform maskUnits visibility display focusable
  tabIndex role className id lang dir title ariaLabel ariaLabelledBy ariaDescribedBy ariaHidden ariaRoleDescription`);

/** Attributes that may paint with `url(#…)`, and with nothing else in `url()`. */
const PAINT_ATTRIBUTES = words(
  "fill stroke stopColor color clipPath mask markerStart markerMid markerEnd filter",
);
const PAINT = /^(?:url\(#[\w:.-]+\)|(?!.*url\s*\()[^"<>\\]*)$/i;
/** A bitmap inside the page; an SVG in an address would not be cleaned. */
const PICTURE = /^data:image\/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]*$/;
const INNER_ADDRESS = /^#[\w:.-]*$/;
/** Declarations without addresses, imports and escapes. */
const STYLE = /^(?!.*(?:url\s*\(|@|\\|expression|javascript:|image-set|-moz-binding)).*$/is;

/** Rules for hast-util-sanitize. */
export const allowedMarkup: Schema = {
  ...defaultSchema,
  clobber: [],
  clobberPrefix: "",
  strip: words(
    "script style iframe object embed template noscript form textarea select title2 math foreignObject audio video",
  ),
  tagNames: [...(defaultSchema.tagNames ?? []), ...HTML_ELEMENTS, ...SVG_ELEMENTS],
  attributes: {
    ...defaultSchema.attributes,
    code: ["className"],
    img: [["src", PICTURE], "alt", "title", "width", "height"],
    use: [
      ["href", INNER_ADDRESS],
      ["xLinkHref", INNER_ADDRESS],
    ],
    "*": [
      ...(defaultSchema.attributes?.["*"] ?? []),
      ...SVG_ATTRIBUTES,
      ...PAINT_ATTRIBUTES.map((name): [string, RegExp] => [name, PAINT]),
      ["style", STYLE],
      "data*",
    ],
  },
  protocols: {
    ...defaultSchema.protocols,
    href: ["http", "https", "mailto"],
    src: ["data"],
  },
};
