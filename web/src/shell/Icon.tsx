// SPDX-License-Identifier: Apache-2.0
/** The page's icons: 16×16, drawn by strokes in the colour of the text around them. */

const PATHS = {
  add: "M8 3v10M3 8h10",
  alert: "M8 2.5 14.2 13.3H1.8ZM8 6.5v3M8 11.4v.1",
  audio: "M3 6.5v3M6 4v8M9 6v4M12 3v10",
  back: "M9.5 3.5 5 8l4.5 4.5",
  breakpoint: "M5.5 2.5h5l3 3v5l-3 3h-5l-3-3v-5ZM6.5 6v4M9.5 6v4",
  check: "m3 8.5 3.2 3.2L13 5",
  chevron: "M4 6l4 4 4-4",
  clock: "M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2ZM8 5v3.2l2.2 1.3",
  close: "m4 4 8 8M12 4l-8 8",
  compare: "M8 2v12M5.5 4.5h-3v7h3M10.5 4.5h3v7h-3",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  document: "M4 2h5l3.5 3.5V14H4ZM9 2v3.5h3.5",
  download: "M8 2.5v8M4.8 7.5 8 10.7l3.2-3.2M3 13.5h10",
  edit: "M3 13l.6-2.8L10.8 3 13 5.2 5.8 12.4ZM9.4 4.4l2.2 2.2",
  error: "M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2ZM6 6l4 4M10 6l-4 4",
  file: "M4 2h5l3.5 3.5V14H4ZM9 2v3.5h3.5",
  fit: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
  folder: "M2 4h4l1.5 1.8H14V13H2Z",
  forward: "M6.5 3.5 11 8l-4.5 4.5",
  gallery: "M2.5 2.5h4.6v4.6H2.5zM8.9 2.5h4.6v4.6H8.9zM2.5 8.9h4.6v4.6H2.5zM8.9 8.9h4.6v4.6H8.9z",
  graph: "M2 3h4v3.5H2zM10 9.5h4V13h-4zM6 4.8h2.2v6.4H10",
  grip: "M6 4v.1M10 4v.1M6 8v.1M10 8v.1M6 12v.1M10 12v.1",
  group: "M2.5 4.5v-2h2M11.5 2.5h2v2M13.5 11.5v2h-2M4.5 13.5h-2v-2M5.5 5.5h5v5h-5z",
  help: "M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2ZM6.3 6.4a1.7 1.7 0 1 1 2.5 1.5c-.5.3-.8.6-.8 1.2M8 11.2v.1",
  history: "M2.6 8a5.4 5.4 0 1 0 1.6-3.8L2.6 5.8M2.6 2.6v3.2h3.2M8 5.2V8l2 1.2",
  image: "M2.5 3h11v10h-11zM2.5 11l3.2-3.4 2.6 2.6 1.9-1.7 3.3 3M10.5 6v.1",
  info: "M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2ZM8 7.4v3.4M8 5.1v.1",
  json: "M6 2.5c-3 0-1 5.5-3.5 5.5C5 8 3 13.5 6 13.5M10 2.5c3 0 1 5.5 3.5 5.5C11 8 13 13.5 10 13.5",
  layout: "M2.5 2.5h4v3.5h-4zM2.5 10h4v3.5h-4zM9.5 6.2h4v3.6h-4zM6.5 4.2h1.4v7.6H6.5M7.9 8h1.6",
  link: "M6.8 9.2 9.2 6.8M7.2 4.9l1.5-1.5a2.7 2.7 0 0 1 3.9 3.9l-1.5 1.5M8.8 11.1l-1.5 1.5a2.7 2.7 0 0 1-3.9-3.9l1.5-1.5",
  list: "M5.5 4h8M5.5 8h8M5.5 12h8M2.5 4v.1M2.5 8v.1M2.5 12v.1",
  lock: "M3.5 7.2h9v6.3h-9zM5.2 7.2V5.4a2.8 2.8 0 0 1 5.6 0v1.8",
  log: "M2.5 3h11v10h-11zM4.8 6l2 2-2 2M8.5 10.2h3",
  menu: "M2.5 4.2h11M2.5 8h11M2.5 11.8h11",
  minus: "M3 8h10",
  model: "M4.5 4.5h7v7h-7zM6.5 2v2.5M9.5 2v2.5M6.5 11.5V14M9.5 11.5V14M2 6.5h2.5M2 9.5h2.5M11.5 6.5H14M11.5 9.5H14",
  moon: "M13 9.6A5.5 5.5 0 0 1 6.4 3a5.5 5.5 0 1 0 6.6 6.6Z",
  more: "M3.5 8v.1M8 8v.1M12.5 8v.1",
  new: "M4 2h5l3.5 3.5V14H4ZM8.2 7v4M6.2 9h4",
  note: "M2.5 2.5h11v7.6l-3.4 3.4H2.5ZM13.5 10.1h-3.4v3.4",
  open: "M2 12.5V3.5h4L7.5 5H12v2M2 12.5 4 7h10.5l-2 5.5Z",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  pin: "M6 2.5h4M6.7 2.5v4L4.5 9.2h7L9.3 6.5v-4M8 9.2v4.5",
  play: "M5 3.2v9.6L12.6 8Z",
  plugin: "M6 2.5v3M10 2.5v3M4 5.5h8v2.8a4 4 0 0 1-8 0ZM8 12.3v1.5",
  recipe: "M3 2.5h8.5L13 4v9.5H3ZM5.5 6h5M5.5 8.5h5M5.5 11h3",
  redo: "M13 6H6.4a3.6 3.6 0 1 0 0 7.2H8M13 6l-3-3M13 6l-3 3",
  refresh: "M13.2 8A5.2 5.2 0 1 1 11.6 4.3L13.2 5.8M13.2 2.8v3h-3",
  save: "M2.5 2.5h8.6l2.4 2.4v8.6h-11zM5 2.5v3.8h5V2.5M5 13.5V9.4h6v4.1",
  search: "M7 2.6a4.4 4.4 0 1 0 0 8.8 4.4 4.4 0 0 0 0-8.8ZM10.3 10.3l3.4 3.4",
  settings: "M2.5 4.5h6M12 4.5h1.5M2.5 11.5H4M7.5 11.5h6M8.5 3v3h3.4V3zM4.1 10v3h3.4v-3z",
  shape: "M2.5 4h3.2l4.6 8h3.2M2.5 12h3.2l1.6-2.8M8.7 6.8 10.3 4h3.2",
  sidebar: "M2.5 3h11v10h-11zM6 3v10",
  "sidebar-right": "M2.5 3h11v10h-11zM10 3v10",
  skip: "M3.5 3.5v9L9.5 8ZM12.5 3.5v9",
  speech: "M8 2.2a2 2 0 0 0-2 2v3.3a2 2 0 1 0 4 0V4.2a2 2 0 0 0-2-2ZM3.8 7.5a4.2 4.2 0 0 0 8.4 0M8 11.7v2.1",
  stop: "M4 4h8v8H4z",
  sun: "M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6ZM8 1.5v1.4M8 13.1v1.4M1.5 8h1.4M13.1 8h1.4M3.4 3.4l1 1M11.6 11.6l1 1M12.6 3.4l-1 1M4.4 11.6l-1 1",
  text: "M3 3.5h10M8 3.5v9.5M6 13h4",
  theme: "M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2ZM8 2.2v11.6M8 5.5h4.8M8 8h5.7M8 10.5h4.8",
  trash: "M2.8 4.5h10.4M6 4.5v-2h4v2M4.2 4.5l.6 9h6.4l.6-9M6.7 7v4M9.3 7v4",
  undo: "M3 6h6.6a3.6 3.6 0 1 1 0 7.2H8M3 6l3-3M3 6l3 3",
  unlock: "M3.5 7.2h9v6.3h-9zM5.2 7.2V5.4a2.8 2.8 0 0 1 5.4-1",
  up: "M4 10l4-4 4 4",
  upload: "M8 10.5v-8M4.8 5.7 8 2.5l3.2 3.2M3 13.5h10",
  wait: "M2.5 8h4M9.5 8h4M8 8v.1",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16, label }: { name: IconName; size?: number; label?: string }) {
  const spoken = label === undefined ? ({ "aria-hidden": true } as const) : ({ role: "img", "aria-label": label } as const);
  return (
    <svg
      {...spoken}
      className="icon"
      viewBox="0 0 16 16"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      strokeWidth={1.4}
      strokeLinecap="round"
      strokeLinejoin="round"
      focusable={false}
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
