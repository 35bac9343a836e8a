from pipeline.examples.id_codes import IdCodes


def test_ids_are_numbered_as_they_come():
    codes = IdCodes()
    assert codes.encode([b"b", b"a", b"b"]).tolist() == [0, 1, 0]
    assert codes.encode([b"c", b"a"]).tolist() == [2, 1]
    assert codes.ids == [b"b", b"a", b"c"]
    assert len(codes) == 3


def test_codes_are_small_numbers():
    assert IdCodes().encode([b"a"] * 5).dtype == "int32"
    assert IdCodes().encode([]).shape == (0,)
