from hypothesis import given
from hypothesis import strategies as st

from preprocessing.storage.folder_columns import folder_name, folder_values

# No character stands alone that is half of another, which is no text in a path.
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(st.dictionaries(texts, st.none() | texts, min_size=1))
def test_folders_tell_what_they_were_made_of(values):
    assert folder_values(f"{folder_name(values)}/part-0.parquet") == values
