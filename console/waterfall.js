import { dollars, row } from "./elements.js";

/* What a step tells of itself: its model call, its tool, its prompt, and what went wrong. */
function noteOf(step) {
  const told = step.details || {}, tokens = (told.input_tokens || 0) + (told.cached_input_tokens || 0);
  return [
    step.type === "step.tried" && `try ${step.retry + 1}`,
    step.outcome !== "ok" && step.outcome,
    step.cold && "cold",
    step.type === "step.ended" && step.retry > 0 && `after ${step.retry} failed ${step.retry === 1 ? "try" : "tries"}`,
    told.model && `${told.model}, ${tokens} in${told.cached_input_tokens ? ` (${told.cached_input_tokens} cached)` : ""}, ${told.output_tokens} out, ${dollars(told.cost_micro_usd)}`,
    told.tool, told.prompt_version, told.match && `cached: ${told.match}`, told.reason,
    told.passages !== undefined && `${told.passages} passages`,
  ].filter(Boolean).join(", ");
}

/* The waterfall: a line per step and per failed try in the order of their starts, on one scale of time. */
export function waterfall(steps) {
  const from = (step) => step.entered_at || step.started_at || 0, begin = Math.min(...steps.map(from));
  const ms = (at) => ((at || begin) - begin) * 1000;
  const whole = Math.max(1, ...steps.map((step) => ms(step.started_at) + step.duration_ms));
  return [...steps].sort((one, other) => ms(one.started_at) - ms(other.started_at)).map((step) => {
    const share = (time) => 100 * time / whole, waited = ms(step.started_at) - ms(from(step));
    const work = [step.outcome === "ok" ? "" : "failed", share(ms(step.started_at)), share(step.duration_ms)];
    const marks = waited > 0 && !step.retry ? [["wait", share(ms(from(step))), share(waited)], work] : [work];
    return row(step.step, noteOf(step), `${Math.round(step.duration_ms)} ms`, marks);
  });
}
