"""Every key of the configuration, and a value of each other than that of `BASE`."""

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

BASE: dict[str, Any] = {
    "name": "every-key",
    "source": {"format": "parquet"},
    "features": {
        "labels": {
            "long_view": {"rule": "long_view", "percent": 60},
            "like": {"column": "is_like"},
            "liked": {"column": "stars", "at_least": 3},
        },
        "extra": [{"name": "country", "entity": "user", "type": "categorical"}],
        "rates": {"subjects": {"video": {}}},
    },
    "drift": {"serving": {"logs": "logs"}},
    "transform": {"vocabularies": {"user_id": {"min_count": 2}, "author_id": {}}},
    "tasks": {"long_view": {}, "like": {}},
    "model": {"module_codes": {"mlp": ["avc"]}},
}

_EXTRA = "features.extra=[{{name: {}, entity: {}, type: {}}}]"

# The `--set` that changes one key of `BASE`, by key. `*` stands for a name or an index.
CHANGES: dict[str, str] = {
    "name": "name=other",
    "source.format": "source.format=csv",
    "source.files": "source.files=['*.pq']",
    "source.delimiter": "source.delimiter=;",
    "source.header": "source.header=[user_id, video_id]",
    "source.quoting": "source.quoting=false",
    "source.compression": "source.compression=gzip",
    "source.version": "source.version=3",
    "source.list_separator": "source.list_separator=' '",
    "source.null_values": "source.null_values=[missing]",
    "source.columns": "source.columns.user_id=uid",
    "source.columns.*.column": "source.columns.event_time_ms.column=other",
    "source.columns.*.unit": "source.columns.event_time_ms.unit=s",
    "source.columns.*.since": "source.columns.event_time_ms.since=2020-01-01",
    "source.columns.*.format": "source.columns.event_time_ms.format='%d.%m.%Y'",
    "source.columns.*.date": "source.columns.event_time_ms.date=other",
    "source.columns.*.time": "source.columns.event_time_ms.time=hm",
    "source.columns.*.time_zone": (
        "source.columns.event_time_ms.time_zone=Asia/Shanghai"
    ),
    "source.columns.*.constant": "source.columns.play_time_ms.constant=2",
    "source.columns.*.equals": "source.columns.is_like.equals=[fav, buy]",
    "source.where": "source.where.tab=[1, 0]",
    "source.explode.column": "source.explode.column=other",
    "source.explode.separator": "source.explode.separator=';'",
    "source.explode.fields": "source.explode.fields=[video_id, shown]",
    "source.explode.field_separator": "source.explode.field_separator='_'",
    "examples.engine": "examples.engine=beam",
    "split.by": "split.by=user",
    "split.train_user_share": "split.train_user_share=0.5",
    "split.first_train_day": "split.first_train_day=2022-04-15",
    "split.train_days": "split.train_days=6",
    "split.eval_days": "split.eval_days=2",
    "split.min_eval_share": "split.min_eval_share=0.5",
    "features.history_length": "features.history_length=10",
    "features.history_of": "features.history_of=long_views",
    "features.new_user.max_hours": "features.new_user.max_hours=48",
    "features.new_user.max_avc": "features.new_user.max_avc=5",
    "features.new_video.max_days": "features.new_video.max_days=3",
    "features.new_video.max_impressions": "features.new_video.max_impressions=10",
    "features.time_zone": "features.time_zone=Asia/Shanghai",
    "features.utc_offset_hours": "features.utc_offset_hours=8",
    "features.labels": "features.labels.follow={column: is_follow}",
    "features.labels.*.column": "features.labels.like.column=is_follow",
    "features.labels.*.at_least": "features.labels.liked.at_least=4",
    "features.labels.*.rule": "features.labels.long_view.rule=finish_view",
    "features.labels.*.missing": "features.labels.like.missing=mask",
    "features.labels.*.percent": "features.labels.long_view.percent=70",
    "features.extra": "features.extra=[]",
    "features.extra.*.name": _EXTRA.format("city", "user", "categorical"),
    "features.extra.*.entity": _EXTRA.format("country", "video", "categorical"),
    "features.extra.*.type": _EXTRA.format("country", "user", "list"),
    "features.extra.*.input": (
        "features.extra=[{name: country, entity: user, type: categorical, input: no}]"
    ),
    "features.rates": "features.rates=null",
    "features.rates.labels": "features.rates.labels=[like]",
    "features.rates.subjects": "features.rates.subjects.tag={}",
    "features.rates.subjects.*.clock": "features.rates.subjects.video.clock=day",
    "features.rates.subjects.*.half_life_days": (
        "features.rates.subjects.video.half_life_days=7"
    ),
    "features.rates.strength": "features.rates.strength=5",
    "features.rates.prior": "features.rates.prior=0.1",
    "features.shards": "features.shards=8",
    "features.last_day": "features.last_day=2022-05-08",
    "features.max_reject_rate": "features.max_reject_rate=0.5",
    "statistics.max_examples": "statistics.max_examples=1000",
    "drift.max_categorical": "drift.max_categorical=0.5",
    "drift.max_numeric": "drift.max_numeric=0.5",
    "drift.max_missing": "drift.max_missing=0.5",
    "drift.by_feature": "drift.by_feature={country: 0.5}",
    "drift.serving.logs": "drift.serving.logs=other",
    "drift.serving.max_categorical": "drift.serving.max_categorical=0.5",
    "drift.serving.max_numeric": "drift.serving.max_numeric=0.5",
    "drift.serving.max_missing": "drift.serving.max_missing=0.5",
    "drift.serving.by_feature": "drift.serving.by_feature={country: 0.5}",
    "transform.avc_boundaries": "transform.avc_boundaries=[1, 2]",
    "transform.avc_quantiles": "transform.avc_quantiles=4",
    "transform.age_hours_boundaries": "transform.age_hours_boundaries=[1, 2]",
    "transform.count_boundaries": "transform.count_boundaries=[1, 2]",
    "transform.rate_buckets": "transform.rate_buckets=4",
    "transform.gap_hours_boundaries": "transform.gap_hours_boundaries=[1, 2]",
    "transform.max_tags": "transform.max_tags=2",
    "transform.max_list": "transform.max_list=2",
    "transform.vocabularies": "transform.vocabularies.video_id={}",
    "transform.vocabularies.*.max_size": "transform.vocabularies.user_id.max_size=9",
    "transform.vocabularies.*.min_count": "transform.vocabularies.user_id.min_count=9",
    "transform.vocabularies.*.oov_buckets": (
        "transform.vocabularies.user_id.oov_buckets=9"
    ),
    "transform.vocabularies.*.hash_buckets": (
        "transform.vocabularies.author_id.hash_buckets=9"
    ),
    "tasks": "tasks.liked={}",
    "tasks.*.weight": "tasks.like.weight=0.5",
    "tasks.*.fusion_weight": "tasks.like.fusion_weight=0.5",
    "tasks.*.positive_weight": "tasks.like.positive_weight=5",
    "tasks.*.label_smoothing": "tasks.like.label_smoothing=0.1",
    "model.poso.mlp": "model.poso.mlp=false",
    "model.poso.attention": "model.poso.attention=false",
    "model.poso.mmoe": "model.poso.mmoe=false",
    "model.poso.experts": "model.poso.experts=false",
    "model.personalization_code": "model.personalization_code=[avc, is_new_user]",
    "model.personalization_code.*.input": (
        "model.personalization_code=[hours_since_first_launch]"
    ),
    "model.personalization_code.*.encoding": (
        "model.personalization_code=[{input: avc, encoding: thermometer}]"
    ),
    "model.module_codes": "model.module_codes.attention=[is_new_user]",
    "model.module_codes.*.input": "model.module_codes.mlp=[video_age]",
    "model.module_codes.*.encoding": (
        "model.module_codes.mlp=[{input: avc, encoding: thermometer}]"
    ),
    "model.input_codes": "model.input_codes=[]",
    "model.input_codes.*.input": "model.input_codes=[video_age]",
    "model.input_codes.*.encoding": (
        "model.input_codes=[{input: avc, encoding: thermometer}]"
    ),
    "model.input_code_scale": "model.input_code_scale=0.5",
    "model.history_matches": "model.history_matches=false",
    "model.gates.hidden_units": "model.gates.hidden_units=8",
    "model.gates.kernel_initializer": "model.gates.kernel_initializer=he_normal",
    "model.gates.output_variance": "model.gates.output_variance=0.01",
    "model.embedding_dim": "model.embedding_dim=8",
    "model.bucket_embedding_dim": "model.bucket_embedding_dim=4",
    "model.embedding_l2": "model.embedding_l2=0.1",
    "model.attention.num_heads": "model.attention.num_heads=2",
    "model.attention.key_dim": "model.attention.key_dim=8",
    "model.attention.num_modules": "model.attention.num_modules=2",
    "model.attention.query_mode": "model.attention.query_mode=gated",
    "model.attention.key_mode": "model.attention.key_mode=shared",
    "model.attention.value_mode": "model.attention.value_mode=gated",
    "model.mmoe.num_experts": "model.mmoe.num_experts=2",
    "model.mmoe.expert_units": "model.mmoe.expert_units=[8]",
    "model.tower_units": "model.tower_units=[8]",
    "model.dropout": "model.dropout=0.1",
    "model.mixed_precision": "model.mixed_precision=mixed_float16",
    "training.batch_size": "training.batch_size=512",
    "training.epochs": "training.epochs=3",
    "training.learning_rate": "training.learning_rate=0.1",
    "training.optimizer": "training.optimizer=adagrad",
    "training.embedding.tpu_min_rows": "training.embedding.tpu_min_rows=9",
    "training.embedding_optimizer.name": "training.embedding_optimizer.name=adam",
    "training.embedding_optimizer.learning_rate": (
        "training.embedding_optimizer.learning_rate=0.1"
    ),
    "training.clip_norm": "training.clip_norm=null",
    "training.shuffle_buffer": "training.shuffle_buffer=10",
    "training.seed": "training.seed=1",
    "training.deterministic": "training.deterministic=true",
    "training.checkpoint_minutes": "training.checkpoint_minutes=1",
    "training.baseline": "training.baseline=false",
    "training.control": "training.control=true",
    "training.warm_start": "training.warm_start=true",
    "training.warm_start_epochs": "training.warm_start_epochs=1",
    "training.strategy.kind": "training.strategy.kind=mirrored",
    "training.strategy.scale_learning_rate": (
        "training.strategy.scale_learning_rate=sqrt"
    ),
    "training.strategy.local_workers": "training.strategy.local_workers=2",
    "training.strategy.local_servers": "training.strategy.local_servers=3",
    "training.strategy.replicas": "training.strategy.replicas=2",
    "training.strategy.tpu": "training.strategy.tpu=local",
    "training.strategy.min_shard_bytes": "training.strategy.min_shard_bytes=1024",
    "training.schedule.warmup_steps": "training.schedule.warmup_steps=100",
    "training.schedule.warmup_share": "training.schedule.warmup_share=0.1",
    "training.schedule.decay": "training.schedule.decay=cosine",
    "training.schedule.final_share": "training.schedule.final_share=0.01",
    "training.sample_weights.by_group": "training.sample_weights.by_group={new: 10}",
    "training.sample_weights.column": "training.sample_weights.column=play_time_ms",
    "training.early_stopping.task": "training.early_stopping.task=like",
    "training.early_stopping.group": "training.early_stopping.group=new",
    "training.early_stopping.patience": "training.early_stopping.patience=5",
    "training.early_stopping.min_delta": "training.early_stopping.min_delta=0.001",
    "training.tensorboard.enabled": "training.tensorboard.enabled=false",
    "training.tensorboard.every_steps": "training.tensorboard.every_steps=10",
    "training.tensorboard.profile_steps": "training.tensorboard.profile_steps=[10, 20]",
    "training.mlflow.tracking_uri": "training.mlflow.tracking_uri=http://mlflow:5000",
    "training.mlflow.experiment": "training.mlflow.experiment=feeds",
    "evaluation.enabled": "evaluation.enabled=false",
    "evaluation.weighting": "evaluation.weighting=none",
    "evaluation.max_gauc_drop": "evaluation.max_gauc_drop=0.5",
    "evaluation.min_scored_users": "evaluation.min_scored_users=5",
    "evaluation.blessing_tasks": "evaluation.blessing_tasks=[like]",
    "evaluation.popularity_task": "evaluation.popularity_task=like",
    "serving.model_name": "serving.model_name=other",
    "serving.fusion.formula": "serving.fusion.formula=weighted_sum",
    "serving.warmup_requests": "serving.warmup_requests=3",
    "serving.max_candidates": "serving.max_candidates=50",
    "serving.validation.enabled": "serving.validation.enabled=false",
    "serving.validation.requests": "serving.validation.requests=3",
    "serving.validation.candidates": "serving.validation.candidates=3",
    "serving.validation.max_score_difference": (
        "serving.validation.max_score_difference=0.1"
    ),
    "serving.validation.max_p99_ms": "serving.validation.max_p99_ms=10",
    "serving.validation.start_timeout_s": "serving.validation.start_timeout_s=10",
    "serving.validation.serving_image_tags": (
        "serving.validation.serving_image_tags=[2.18.0]"
    ),
    "days.unready": "days.unready=skip",
    "days.wait_hours": "days.wait_hours=1",
    "days.poll_minutes": "days.poll_minutes=1",
}

# What must be set for a key to be read, so that another value is taken at all.
GIVEN: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("source.delimiter", "source.header", "source.quoting", "source.compression"),
        ("source.format=csv",),
    ),
    **dict.fromkeys(
        (
            "source.columns.*.column",
            "source.columns.*.unit",
            "source.columns.*.format",
            "source.columns.*.time_zone",
        ),
        ("source.columns.event_time_ms={column: ts}",),
    ),
    **dict.fromkeys(
        ("source.columns.*.date", "source.columns.*.time"),
        ("source.columns.event_time_ms={date: dt}",),
    ),
    "source.version": ("source.format=delta",),
    "source.columns.*.since": ("source.columns.event_time_ms={column: ts, unit: s}",),
    "source.columns.*.constant": ("source.columns.play_time_ms={constant: 1}",),
    "source.columns.*.equals": ("source.columns.is_like={column: behavior}",),
    **dict.fromkeys(
        (
            "source.explode.column",
            "source.explode.separator",
            "source.explode.fields",
            "source.explode.field_separator",
        ),
        ("source.explode={column: impressions, fields: [video_id, clicked]}",),
    ),
    "model.poso.mlp": ("model.module_codes={}",),
    "training.embedding.tpu_min_rows": ("training.strategy.kind=tpu",),
    "training.warm_start_epochs": ("training.warm_start=true",),
    "training.strategy.local_workers": ("training.strategy.kind=multi_worker",),
    "training.strategy.local_servers": (
        "training.strategy={kind: parameter_server, local_workers: 2}",
    ),
    "training.strategy.replicas": ("training.strategy.kind=mirrored",),
    "training.strategy.tpu": ("training.strategy.kind=tpu",),
    "training.strategy.min_shard_bytes": ("training.strategy.kind=parameter_server",),
    "training.schedule.final_share": ("training.schedule.decay=cosine",),
    "training.early_stopping.group": ("training.early_stopping.task=like",),
    "training.early_stopping.patience": ("training.early_stopping.task=like",),
    "training.early_stopping.min_delta": ("training.early_stopping.task=like",),
    "training.mlflow.experiment": ("training.mlflow.tracking_uri=http://mlflow:5000",),
}


def schema_keys(kind: type[BaseModel], place: str = "") -> Iterator[str]:
    """Every key under a section, `section.key`; also of mappings and lists."""
    for name, field in kind.model_fields.items():
        key = f"{place}{name}"
        section = _section(field.annotation)
        if section is not field.annotation:
            yield key
        if section is not None:
            yield from schema_keys(section, f"{key}.")
            continue
        for inner in _models(field.annotation):
            yield from schema_keys(inner, f"{key}.*.")


def changed_keys(before: Any, after: Any, key: str = "") -> Iterator[str]:
    """The keys whose values differ; the mapping's or list's where entries are new."""
    if isinstance(before, BaseModel) and isinstance(after, BaseModel):
        for name in type(before).model_fields:
            inner = f"{key}.{name}" if key else name
            yield from changed_keys(getattr(before, name), getattr(after, name), inner)
    elif _holds_models(before) or _holds_models(after):
        one, other = _by_place(before), _by_place(after)
        if one.keys() != other.keys():
            yield key
        for place in one.keys() & other.keys():
            yield from changed_keys(one[place], other[place], f"{key}.*")
    elif before != after:
        yield key


def _section(annotation: Any) -> type[BaseModel] | None:
    """The model of a section, also of one that may be null; None for another key."""
    kinds = [annotation]
    if get_origin(annotation) in (Union, UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not NoneType]
    kind, *others = kinds
    is_model = isinstance(kind, type) and issubclass(kind, BaseModel)
    return kind if is_model and not others else None


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models(inner)]


def _by_place(values: Any) -> dict[Any, Any]:
    """What is in a mapping or list; of lists in a mapping, what is in these."""
    if not isinstance(values, dict):
        return dict(enumerate(values))
    if not any(isinstance(value, tuple) for value in values.values()):
        return values
    return {
        (name, place): value
        for name, several in values.items()
        for place, value in enumerate(several)
    }


def _holds_models(values: Any) -> bool:
    if not isinstance(values, dict | tuple):
        return False
    return any(isinstance(value, BaseModel) for value in _by_place(values).values())
