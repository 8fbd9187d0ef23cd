from __future__ import annotations

import enum

from sqlalchemy import Enum, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from src.entity.base import Base, Timestamped
from src.entity.order_line import OrderLine


class OrderStatus(enum.Enum):
    """How far an order has come."""

    NEW = "new"
    PAID = "paid"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"


class Order(Timestamped, Base):
    """What a customer bought at one time."""

    __tablename__ = "order"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    status: Mapped[OrderStatus] = mapped_column(
        Enum(
            OrderStatus,
            name="order_status",
            values_callable=lambda members: [member.value for member in members],
        ),
        server_default=OrderStatus.NEW.value,
    )

    lines: Mapped[list[OrderLine]] = relationship()
