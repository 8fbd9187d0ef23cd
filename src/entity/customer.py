from __future__ import annotations

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from src.entity.base import Base, Timestamped
from src.entity.order import Order


class Customer(Timestamped, Base):
    """Somebody who buys."""

    __tablename__ = "customer"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(255), unique=True)
    name: Mapped[str] = mapped_column(String(120), index=True)
    preferences: Mapped[dict[str, object] | None] = mapped_column(JSON)

    orders: Mapped[list[Order]] = relationship()
