from sqlalchemy import Numeric, String
from sqlalchemy.orm import Mapped, mapped_column

from src.entity.base import Base


class Product(Base):
    __tablename__ = "product"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), index=True)
    price: Mapped[float] = mapped_column(Numeric(10, 2))
