"""What made-up people are called, and where their telephones are."""

from __future__ import annotations

_FIRST = """
    Ada Adrian Agnes Alan Alba Amir Ana Anton Aoife Arthur Astrid Beatriz Ben Bianca Bruno Carla Cecilia Chen Clara
    Daniel Daria David Diego Dora Edith Elena Elias Emil Emma Erik Esther Eva Farah Felix Fiona Frida Gabriel Gina
    Greta Hana Hans Helen Hugo Ida Ines Ingrid Iris Ivan Jana Jonas Jorge Julia Kai Karim Karin Kenji Lars Laura
    Lena Leo Lina Lucas Luz Maria Marta Max Mei Mia Miguel Milan Mina Nadia Nils Nina Noah Nora Olga Omar Oscar
    Paula Petra Quentin Rafael Rania Rosa Ruth Samir Sara Selma Simon Sofia Stefan Tara Theo Tomas Uma Vera Victor
    Wanda Yara Yusuf
"""
_LAST = """
    Abel Adams Ahmed Almeida Anders Arnold Baker Bauer Becker Berg Bianchi Blanc Bosch Brandt Brown Campos Carter
    Castro Clark Costa Cruz Dahl Dietrich Dubois Duran Eklund Evans Falk Farkas Ferrari Fischer Fontaine Foster
    Fuchs Garcia Gomez Graf Gray Hall Hansen Harris Hoffman Horvat Ibrahim Ito Jansen Johnson Kaplan Keller Khan Kim
    Klein Koch Kovacs Kraus Lang Larsen Lee Lindberg Lopez Ludwig Marino Martin Mendes Meyer Moreau Moreno Mueller
    Nagy Nakamura Nielsen Novak Ortiz Park Perez Petrov Quinn Ramos Reyes Ricci Rossi Roth Santos Sato Schmidt Silva
    Singh Stone Suzuki Tanaka Torres Vargas Vogel Wagner Walker Weber Wolf Yilmaz Young Zhang Ziegler
"""
_AREAS = """
    201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 224 225 228 229 231 234 239 240 248 251 252
    253 254 256 260 262 267 269 270 276 281 301 302 303 304 305 307 308 309 310 312 313 314 315 316 317 318 319 320
    321 323 325 330 331 334 336 337 339 346 347 351 352 360 361 385 386 401 402 404 405 406 407 408 409 410 412 413
    414 415 417 419 423 424 425 430 432 434 435 440 443 458 469 470 475 478 479 480 484
"""
FIRST = tuple(_FIRST.split())
LAST = tuple(_LAST.split())
AREAS = tuple(_AREAS.split())
"""Area codes of North America. In each the numbers 555-0100 to 555-0199 are kept for fiction."""
