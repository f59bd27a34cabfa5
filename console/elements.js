/* Elements of the page: those it has, and new ones, whose text is never markup. */

export const at = (id) => document.getElementById(id);

export function make(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}

export const dollars = (micro) => `$${(micro / 1e6).toFixed(6)}`;

/* A line of the table: a name with a note under it, a bar or nothing, a value. */
export function row(name, note, value, marks = []) {
  const line = document.createElement("tr"), head = make("th", name), bar = make("td", "");
  head.scope = "row";
  if (note) head.append(make("small", note));
  bar.className = "bar";
  if (marks.length) {
    const track = bar.appendChild(document.createElement("div"));
    for (const [kind, left, width] of marks) {
      const mark = track.appendChild(document.createElement("i"));
      mark.className = kind;
      mark.style.left = `${left}%`;
      mark.style.width = `${width}%`;
    }
  }
  line.append(head, bar, make("td", value));
  return line;
}
