from sqlalchemy import CheckConstraint, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from src.entity.base import Base, Timestamped


class Review(Timestamped, Base):
    """What a customer thinks of a product."""

    __tablename__ = "review"
    __table_args__ = (
        UniqueConstraint("customer_id", "product_id"),
        CheckConstraint("rating BETWEEN 1 AND 5", name="rating_from_1_to_5"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    rating: Mapped[int]
    text: Mapped[str | None] = mapped_column(Text)
