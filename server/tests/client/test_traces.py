"""Traces of an assistant: spans go up, are found, and come back whole."""

import mlflow
import pytest


def test_traces_are_logged_and_found(client, experiment):
    mlflow.set_experiment(experiment_id=experiment)
    with mlflow.start_span("answer", span_type="CHAIN") as root:
        root.set_inputs({"question": "Who signs travel?"})
        with mlflow.start_span("retrieve", span_type="RETRIEVER") as span:
            span.set_outputs([{"page_content": "§ 12"}])
        root.set_outputs({"answer": "The dean ✓"})
    with pytest.raises(TimeoutError), mlflow.start_span("late"):
        raise TimeoutError("too late")

    found = client.search_traces(locations=[experiment], order_by=["timestamp_ms ASC"])
    assert [trace.info.state.value for trace in found] == ["OK", "ERROR"]
    trace = client.get_trace(found[0].info.trace_id)
    assert [span.name for span in trace.data.spans] == ["answer", "retrieve"]
    assert trace.data.spans[0].outputs == {"answer": "The dean ✓"}

    client.set_trace_tag(trace.info.trace_id, "reviewed", "yes")
    assert len(client.search_traces(locations=[experiment], filter_string="tags.reviewed = 'yes'")) == 1
    mlflow.log_feedback(trace_id=trace.info.trace_id, name="correct", value=True)
    (feedback,) = client.get_trace(trace.info.trace_id).info.assessments
    assert (feedback.name, feedback.value) == ("correct", True)
