"""How somebody becomes administrator of the library: nominated by one, decided by another."""
