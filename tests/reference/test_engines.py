"""Opening databases: what an engine shares with those before it. What is in a database is in test_catalog.py."""

from pathlib import Path

from sqlalchemy import event, literal, select
from sqlalchemy.engine.interfaces import CacheStats

from snapproof.reference_impl.catalog.engines import open_engine


def test_what_was_compiled_for_one_database_serves_the_next(tmp_path: Path) -> None:
    hits: list[CacheStats] = []
    for number in (1, 2):
        engine = open_engine(f"sqlite:///{tmp_path / str(number)}")
        event.listen(engine, "after_cursor_execute", lambda *told: hits.append(told[4].cache_hit))
        with engine.connect() as connection:
            assert connection.execute(select(literal(number).label("of_this_test_alone"))).scalar_one() == number
        engine.dispose()
    assert [hit for hit in hits if hit is not CacheStats.NO_CACHE_KEY] == [CacheStats.CACHE_MISS, CacheStats.CACHE_HIT]
