from shop import db


class Product(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(100), index=True, nullable=False)
    price = db.Column(db.Numeric(10, 2), nullable=False)


class Review(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    product_id = db.Column(db.ForeignKey("product.id", name="fk_review_product", ondelete="CASCADE"), nullable=False)
    text = db.Column(db.String(200), nullable=False, server_default="")
