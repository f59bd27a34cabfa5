"""Which fields of JSONata states ministack ignores and the launcher honours; all were seen in 1.5.33."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from local.cloud import ministack

State = Mapping[str, Any]
Context = dict[str, Any]


def apply() -> None:
    """Mend every fault."""
    engine = ministack.module("services.stepfunctions")
    succeed_output(engine)
    choice_output(engine)
    parallel(engine)
    distributed_map(engine)


def succeed_output(engine: ModuleType) -> None:
    """Give a Succeed state its Output."""

    def output(state: State, given: object, context: Context) -> object:
        if engine._state_query_language(state, context) == "JSONata":
            return engine._apply_jsonata_output(state, given, context, default=given)
        return engine._apply_output_path(state, engine._apply_input_path(state, given, context), context)

    top = """\
                current_input = _apply_input_path(state_def, current_input, ctx)
                current_input = _apply_output_path(state_def, current_input, ctx)
"""
    changed = "                current_input = output_of_succeed(state_def, current_input, ctx)\n"
    ministack.edit(engine, "_run_execution", top, changed, output_of_succeed=output)
    nested = """\
            return _apply_output_path(state_def,
                                      _apply_input_path(state_def, current_input, ctx), ctx)
"""
    changed = "            return output_of_succeed(state_def, current_input, ctx)\n"
    ministack.edit(engine, "_run_sub_machine", nested, changed)


def choice_output(engine: ModuleType) -> None:
    """Give a Choice state that falls to its Default its Output."""
    old = "_apply_state_assign(state_def, raw_input, ctx)\n            return raw_input, default"
    new = (
        "fallen = _apply_jsonata_output(state_def, raw_input, ctx, default=raw_input)\n"
        "            _apply_state_assign(state_def, raw_input, ctx)\n            return fallen, default"
    )
    ministack.edit(engine, "_execute_choice", old, new)


def parallel(engine: ModuleType) -> None:
    """Give a Parallel state its Arguments, Output and Assign, and each branch variables of its own."""

    def branch_input(state: State, given: object, context: Context) -> object:
        if engine._state_query_language(state, context) == "JSONata":
            return engine._apply_jsonata_arguments(state, given, context)
        return engine._apply_parameters(state, engine._apply_input_path(state, given, context), context)

    function = "_run_parallel_branches"
    old = "_apply_parameters(state_def, effective, ctx)"
    ministack.edit(engine, function, old, "branch_input(state_def, raw_input, ctx)", branch_input=branch_input)
    ministack.edit(engine, function, "effective, execution, ctx)", "effective, execution, copy.deepcopy(ctx))")
    _give_results(engine, function)


def distributed_map(engine: ModuleType) -> None:
    """Give a distributed Map state its Items, ItemSelector, Output and Assign, and evaluate what it says of reading."""

    def evaluated(state: State, given: object, context: Context) -> State:
        if engine._state_query_language(state, context) != "JSONata":
            return state
        names = ("ItemReader", "MaxConcurrency", "ToleratedFailurePercentage")
        fields = {name: state[name] for name in names if name in state}
        return {**state, **engine._apply_jsonata_template(fields, given, context)}

    def items(state: State, given: object, effective: object, context: Context) -> object:
        if "Items" in state:
            return engine._jsonata_state_field(state, "Items", "array", given, context)
        return engine._resolve_path_or_ctx(state.get("ItemsPath", "$"), effective, context)

    def selected(state: State, given: object, effective: object, context: Context) -> object:
        if engine._state_query_language(state, context) == "JSONata":
            return engine._apply_jsonata_template(state["ItemSelector"], given, context)
        return engine._resolve_params_obj(state.get("ItemSelector") or state["Parameters"], effective, context)

    function = "_run_distributed_map"
    top = '    if state_def.get("ItemReader"):\n'
    ministack.edit(
        engine, function, top, f"    state_def = evaluated(state_def, raw_input, ctx)\n{top}", evaluated=evaluated
    )
    old = '_resolve_path_or_ctx(state_def.get("ItemsPath", "$"), effective, ctx)'
    ministack.edit(engine, function, old, "items_of_map(state_def, raw_input, effective, ctx)", items_of_map=items)
    old = "_resolve_params_obj(item_selector, effective, item_ctx)"
    new = "selected_of_item(state_def, raw_input, effective, item_ctx)"
    ministack.edit(engine, function, old, new, selected_of_item=selected)
    _give_results(engine, function)


def _give_results(engine: ModuleType, function: str) -> None:
    """Let the function that runs a state end with the state's Output and Assign over its results."""

    def outcome(state: State, given: object, results: object, context: Context) -> object:
        output = engine._apply_jsonata_output(state, given, context, result=results, default=results)
        engine._apply_state_assign(state, given, context, result=results)
        return output, engine._next_or_end(state)

    old = "    result = _apply_result_selector(state_def, results)\n"
    new = (
        "    if _state_query_language(state_def, ctx) == 'JSONata':\n"
        "        return outcome_in_jsonata(state_def, raw_input, results, ctx)\n" + old
    )
    ministack.edit(engine, function, old, new, outcome_in_jsonata=outcome)
