import json

import numpy as np
import pytest

import poso_keras
from poso_keras._backend import keras
from poso_keras.diagnostics import GateProfile, gate_profile
from tests.helpers.small_models import (
    BUCKETS,
    CODE_DIM,
    array,
    batch_of,
    bucket_batch,
    functional_model,
    nothing_is_left_behind,
    subclassed_model,
)

CODES = np.eye(CODE_DIM, dtype="float32")
GATES = {
    "attention/key_gate": 8,
    "attention/module_gate": 4,
    "mmoe/gate": 3,
    "long_view_tower/dense_0/gate": 5,
    "like_tower/dense_0/gate": 5,
}


def formula(gate, codes):
    """C sigmoid(W2 relu(W1 pc + b1) + b2), a code at a time."""
    w1, b1, w2, b2 = gate.get_weights()
    rows = []
    for code in codes:
        hidden = np.maximum(code @ w1 + b1, 0)
        rows.append(gate.scale / (1 + np.exp(-(hidden @ w2 + b2))))
    return np.array(rows)


def test_codes_go_to_every_gate_of_a_model():
    model = functional_model()
    profile = gate_profile(model, CODES)
    assert {k: v.shape for k, v in profile.gates.items()} == {
        name: (CODE_DIM, units) for name, units in GATES.items()
    }
    mmoe, attention = model.get_layer("mmoe"), model.get_layer("attention")
    for name, gate in [
        ("mmoe/gate", mmoe.gate),
        ("attention/key_gate", attention.key_gate),
        ("attention/module_gate", attention.module_gate),
    ]:
        outputs = profile.gates[name]
        np.testing.assert_allclose(outputs, formula(gate, CODES), rtol=1e-5)
        assert outputs.std(axis=0).min() > 0
        assert profile.scales[name] == gate.scale


def test_inputs_go_through_the_model():
    """What the gates read is the embedding of each bucket."""
    model = subclassed_model()
    buckets = np.arange(BUCKETS)
    example = {"features": bucket_batch(3)["features"]}
    profile = gate_profile(model, {"avc_bucket": buckets}, example)
    [table] = model.bucket.get_weights()
    assert list(profile.gates) == ["mmoe/gate"]
    expected = formula(model.mmoe.gate, table[buckets])
    np.testing.assert_allclose(profile.gates["mmoe/gate"], expected, rtol=1e-5)
    assert nothing_is_left_behind(model)


def test_inputs_and_codes_agree_where_the_code_is_an_input():
    model = functional_model()
    direct = gate_profile(model, CODES).gates
    for example in (None, batch_of(2)):
        through = gate_profile(model, {"code": CODES}, example).gates
        assert through.keys() == direct.keys()
        for name, outputs in direct.items():
            np.testing.assert_allclose(through[name], outputs, rtol=1e-5)


def test_a_gate_alone():
    gate = poso_keras.PersonalizationGate(4, name="module_gate")
    gate(CODES)
    profile = gate_profile(gate, CODES)
    np.testing.assert_array_equal(profile.gates["module_gate"], array(gate(CODES)))


def test_each_call_of_a_gate_has_its_own_row():
    inputs = {name: keras.Input((CODE_DIM,), name=name) for name in ("a", "b")}
    gate = poso_keras.PersonalizationGate(2, name="gate")
    model = keras.Model(inputs, [gate(inputs["a"]), gate(inputs["b"])])
    profile = gate_profile(model, {"a": CODES, "b": 2 * CODES})
    assert list(profile.gates) == ["gate", "gate#2"]
    found = {outputs.tobytes() for outputs in profile.gates.values()}
    assert found == {array(gate(c)).tobytes() for c in (CODES, 2 * CODES)}


def test_numbers_for_json():
    profile = GateProfile({"gate": np.array([[0.5, 1.0]], "float32")})
    assert json.loads(json.dumps(profile.to_dict())) == {"gate": [[0.5, 1.0]]}


def test_how_far_gates_moved_is_measured_from_a_recorded_start():
    model = functional_model()
    start = gate_profile(model, CODES)
    gate = model.get_layer("mmoe").gate
    w1, b1, w2, b2 = gate.get_weights()
    gate.set_weights([w1, b1, w2, b2 + 1.0])
    numbers = gate_profile(model, CODES, start=start).numbers()
    before, after = start.gates["mmoe/gate"], formula(gate, CODES)
    moved = np.abs(after - before).mean() / gate.scale
    assert numbers["mmoe/gate"].moved == pytest.approx(moved, rel=1e-5)
    assert {n: x.moved for n, x in numbers.items() if n != "mmoe/gate"} == {
        name: 0.0 for name in GATES if name != "mmoe/gate"
    }


def test_without_a_start_gates_moved_from_half_their_scale():
    profile = GateProfile({"gate": np.array([[0.5, 1.0]])}, {"gate": 1.0})
    assert profile.numbers()["gate"].moved == 0.25  # of 0 and 1/2


def test_numbers_need_the_scale_of_each_gate():
    profile = GateProfile({"a": np.ones((2, 1)), "b": np.ones((2, 1))}, {"a": 2.0})
    with pytest.raises(ValueError, match=r"scale of every gate. Missing: \['b'\]"):
        profile.numbers()


def test_a_start_of_another_model_is_an_error():
    start = GateProfile({"gate": np.ones((CODE_DIM, 1))})
    with pytest.raises(ValueError, match=r"the same gates.*Received: \['gate'\]"):
        gate_profile(functional_model(), CODES, start=start)


def test_a_model_without_gates_is_an_error():
    layer = poso_keras.MLP((3,))
    layer(CODES)
    with pytest.raises(ValueError, match="must have a PersonalizationGate"):
        gate_profile(layer, CODES)


def test_gates_that_are_not_built_are_an_error():
    with pytest.raises(ValueError, match=r"must be built.*'my_gate', not built"):
        gate_profile(poso_keras.PersonalizationGate(2, name="my_gate"), CODES)


def test_codes_of_the_wrong_shape_are_named():
    with pytest.raises(ValueError, match=r"Received: codes.shape=\(3,\)"):
        gate_profile(functional_model(), CODES[0])
    with pytest.raises(ValueError, match=r"as many rows.*'code': 3, 'features': 2"):
        gate_profile(
            functional_model(), {"code": CODES, "features": batch_of(2)["features"]}
        )


class FirstRowModel(keras.Model):
    def __init__(self):
        super().__init__()
        self.gate = poso_keras.PersonalizationGate(2, name="gate")

    def call(self, inputs):
        return self.gate(inputs["code"][:1])


def test_a_gate_that_sees_other_codes_is_an_error():
    with pytest.raises(ValueError, match=r"a row of `codes`, 3.*'gate' with 1"):
        gate_profile(FirstRowModel(), {"code": CODES})


def test_few_units_are_lines_and_many_a_map():
    pytest.importorskip("matplotlib")
    few, many = np.random.default_rng(0).uniform(0, 2, (2, 12, 20))
    profile = GateProfile({"few": few[:, :4], "many": many}, {"many": 2.0})
    lines, image = profile.plot(range(100, 112), "accumulated view count")
    np.testing.assert_array_equal([x.get_ydata() for x in lines.lines], few[:, :4].T)
    np.testing.assert_array_equal(image.images[0].get_array(), many.T)
    assert image.images[0].get_clim() == (0, 2.0)  # white is where it starts
    assert lines.get_xlabel() == "accumulated view count"
    assert [t.get_text() for t in lines.get_xticklabels()][:2] == ["100", "102"]
    assert (lines.get_title(), image.get_title()) == ("few", "many")


def test_where_a_gate_starts_is_drawn_if_known():
    pytest.importorskip("matplotlib")
    [ax] = GateProfile({"gate": np.ones((5, 2))}, {"gate": 1.5}).plot()
    assert set(ax.lines[-1].get_ydata()) == {0.75}


def test_wrong_axes_and_labels_are_named():
    pytest.importorskip("matplotlib")
    profile = GateProfile({"gate": np.ones((5, 2))})
    [ax] = profile.plot()
    assert profile.plot(ax=ax) == [ax]
    with pytest.raises(ValueError, match=r"one Axes a panel, 1. Received: 2"):
        profile.plot(ax=[ax, ax])
    with pytest.raises(ValueError, match=r"one entry a code, 5. Received: 2"):
        profile.plot(labels=["1", "2"])
