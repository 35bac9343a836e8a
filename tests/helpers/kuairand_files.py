"""KuaiRand's official files, small: made by hand, or a cut of the real ones."""

from pathlib import Path

LOG_HEADER = (
    "user_id,video_id,date,hourmin,time_ms,is_click,is_like,is_follow,is_comment,"
    "is_forward,is_hate,long_view,play_time_ms,duration_ms,profile_stay_time,"
    "comment_stay_time,is_profile_enter,is_rand,tab"
)
FIRST_MS = 1_650_900_000_000  # 25 April 2022, 15:20 UTC
LOG = "log_standard_4_25_to_5_05_pure.csv"


def log_line(user, video, at=0, like=0, long_view=0, play=5, tab=1):
    return (
        f"{user},{video},20220425,2300,{FIRST_MS + at},1,{like},0,0,0,0,{long_view},"
        f"{play},10,0,0,0,0,{tab}"
    )


def write_kuairand(folder: Path, lines: list[str], history: list[str] | None = None):
    """Writes the three official tables, and the history where rows are given."""
    (folder / LOG).write_text("\n".join([LOG_HEADER, *lines]) + "\n")
    (folder / "video_features_basic_pure.csv").write_text(
        "video_id,author_id,video_type,upload_dt,upload_type,tag\n"
        '10,900,NORMAL,2022-04-10,LongImport,"20,43"\n'
        "11,901,AD,,ShortImport,\n"
    )
    (folder / "user_features_pure.csv").write_text(
        "user_id,user_active_degree,register_days\n1,full_active,799\n2,UNKNOWN,5\n"
    )
    if history is not None:
        header = (
            "user_id,rel_pos,video_id,long_view,is_like,label_ambiguous,history_len,"
            "last_time_ms"
        )
        (folder / "history_exposures_4_09_to_4_24_last50.csv").write_text(
            "\n".join([header, *history]) + "\n"
        )
    return folder


def cut_kuairand(official: Path, folder: Path, users: int) -> Path:
    """A copy of the real files with the log and the history of a few users."""
    for path in (official / "kuairand-pure").glob("*.csv"):
        with path.open() as lines:
            header = next(lines)
            kept = [
                line
                for line in lines
                if path.name.startswith("video") or int(line.split(",")[0]) < users
            ]
        (folder / path.name).write_text(header + "".join(kept))
    return folder
